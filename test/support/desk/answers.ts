import type { Answer } from '../../../example/desk/page/api/http.js'
import type { Place } from '../../../example/desk/page/api/offers.js'
import type { JsonObject } from '../../../example/desk/page/model/json.js'

export const PLACE: Place = { publisher: 'contoso', offer: 'reef-db' }

/** An offer as the server shows it. */
export const offer = (displayText: string, extra: JsonObject = {}): JsonObject =>
  ({ offerTypeId: 'vm', id: 'reef-db', status: 'neverPublished', version: 0, definition: { displayText }, ...extra })

/** The answer that carries an offer under this tag. */
export const ok = (tag: string, value = offer('Reef')): Answer<JsonObject> => ({ kind: 'ok', status: 200, tag, value })

/** The answer of a server that refuses a request. */
export const refused = (status: number, code: string): Answer<never> =>
  ({ kind: 'failed', failure: { kind: 'refused', status, code, message: 'why' } })

/** No answer. */
export const LOST: Answer<never> = { kind: 'failed', failure: { kind: 'lost' } }
