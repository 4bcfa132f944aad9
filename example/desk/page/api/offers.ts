import { isObject, type JsonObject } from '../model/json.js'
import { send, type Answer } from './http.js'

/** An offer as a list shows it. */
export interface Summary extends JsonObject {
  id: string
  status: string
  version: number
  changedTime: string
  definition: { displayText?: string } & JsonObject
}

/** A step of a publication. */
export interface Step { id: string, stepName: string, status: string, progressPercentage: number, messages: Message[] }

/** A message of a publication, as HTML: it is shown as text. */
export interface Message { messageHtml: string }

/** How far the newest publication of an offer is. */
export interface Progress { status: string, steps: Step[], messages: Message[] }

/** Where an offer is. */
export interface Place { publisher: string, offer: string }

/** The steps that a publication takes on the order of its publisher. */
export type Action = 'publish' | 'golive' | 'cancel'

/** The calls of the page. Each tag goes back exactly as it was received. */
export interface OffersApi {
  publishers: () => Promise<Answer<Array<{ id: string }>>>
  list: (publisher: string) => Promise<Answer<Summary[]>>
  /** With `seen`, `unchanged` if the offer still has this tag. */
  read: (place: Place, seen?: string) => Promise<Answer<JsonObject>>
  /** Replaces the version of this tag, and no other. */
  write: (place: Place, document: JsonObject, tag: string) => Promise<Answer<JsonObject>>
  /** Replaces whatever is there: the last write wins. */
  overwrite: (place: Place, document: JsonObject) => Promise<Answer<JsonObject>>
  /** Creates the offer, if there is none. */
  create: (place: Place, document: JsonObject) => Promise<Answer<JsonObject>>
  /** Under the tag of the version that the person has seen. */
  act: (place: Place, action: Action, tag: string) => Promise<Answer<JsonObject>>
  progress: (place: Place) => Promise<Answer<Progress>>
  slot: (place: Place, slot: 'preview' | 'production') => Promise<Answer<JsonObject>>
}

/** The offers API, called with this token. */
export function offersApi (token: string): OffersApi {
  const put = async (place: Place, body: JsonObject, headers: Record<string, string>): Promise<Answer<JsonObject>> =>
    offerIn(await send(offerUrl(place), { method: 'PUT', token, headers, body }))
  return {
    publishers: async () => await send(url('publishers'), { method: 'GET', token }),
    list: async (publisher) => await send(url(`publishers/${encoded(publisher)}/offers`), { method: 'GET', token }),
    read: async (place, seen) => offerIn(await send(offerUrl(place), {
      method: 'GET',
      token,
      ...(seen !== undefined && { headers: { 'if-none-match': seen } })
    })),
    write: async (place, document, tag) => await put(place, document, { 'if-match': tag }),
    overwrite: async (place, document) => await put(place, document, { 'if-match': '*' }),
    create: async (place, document) => await put(place, document, { 'if-none-match': '*' }),
    act: async (place, action, tag) =>
      await send(offerUrl(place, `/${action}`), { method: 'POST', token, headers: { 'if-match': tag }, body: {} }),
    progress: async (place) => await send(offerUrl(place, '/status'), { method: 'GET', token }),
    slot: async (place, slot) => await send(offerUrl(place, `/slot/${slot}`), { method: 'GET', token })
  }
}

// An answer of something else, such as of a network that asks to sign in, is no offer and no save, whatever its status.
function offerIn (answer: Answer<JsonObject>): Answer<JsonObject> {
  if (answer.kind !== 'ok') return answer
  const { status, value, tag } = answer
  const isOffer = isObject(value) && typeof value['id'] === 'string' && typeof value['status'] === 'string'
  if (isOffer && tag !== undefined) return answer
  return { kind: 'failed', failure: { kind: 'refused', status, code: isOffer ? 'NoTag' : 'NotJson', message: '' } }
}

function offerUrl ({ publisher, offer }: Place, below = ''): string {
  return url(`publishers/${encoded(publisher)}/offers/${encoded(offer)}${below}`)
}

// Relative to the page, which may be below a prefix of a proxy.
function url (path: string): string {
  return `api/${path}?api-version=2017-10-31`
}

function encoded (name: string): string {
  return encodeURIComponent(name)
}
