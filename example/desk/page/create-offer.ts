import type { Answer } from './api/http.js'
import type { OffersApi, Place } from './api/offers.js'
import { isOutcomeUnknown, noticeOfFailure } from './model/failure.js'
import { contentOf } from './model/form.js'
import { isSame, type JsonObject } from './model/json.js'
import type { Notice } from './model/notice.js'

/**
 * Creates an offer, if there is none of its id. Where the answer was lost, or an offer is there, what the server has
 * says whether this very one was created.
 *
 * @returns what the person is told; undefined if the offer is there as it was sent
 */
export async function createOffer (api: OffersApi, place: Place, content: JsonObject): Promise<Notice | undefined> {
  const answer = await api.create(place, content)
  if (answer.kind !== 'failed') return undefined
  const { failure } = answer
  const isThere = failure.kind === 'refused' && failure.status === 412
  if (!isThere && !isOutcomeUnknown(failure)) return noticeOfFailure(failure)
  const found = await api.read(place)
  if (found.kind === 'ok') {
    return isSame(contentOf(found.value), content) ? undefined : { tone: 'bad', key: 'exists' }
  }
  if (isThere) return { tone: 'bad', key: 'exists' }
  return { tone: 'bad', key: isMissing(found) ? 'notSavedAfterLoss' : 'unknownAfterLoss' }
}

function isMissing (answer: Answer<JsonObject>): boolean {
  if (answer.kind !== 'failed') return false
  return answer.failure.kind === 'refused' && answer.failure.code === 'OfferNotFound'
}
