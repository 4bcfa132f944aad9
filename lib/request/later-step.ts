import { errorCodes, isIfMatchError } from '../errors.js'
import { factsOf, withFacts } from '../refusal-error.js'

export const APPLIED =
  'An earlier step of this request was applied and stays: read before you send anything again.'
export const PERHAPS_APPLIED =
  'Another step of this request may have been applied: read before you send anything again.'

/** What happened, without the next step, where the next step would be to send the request again. */
const WHAT: Partial<Record<string, string>> = {
  FST_IF_MATCH_CONTENTION: 'Other writers were faster each time, and this step was not applied.',
  FST_IF_MATCH_STORAGE_UNAVAILABLE: 'The storage does not answer, and this step was not carried out.',
  FST_IF_MATCH_KEY_REUSED: 'The Idempotency-Key of this request belongs to another write, and this step was refused.'
}

/** Whose words stay: what the client has to change is still so, but not all of its request was without effect. */
const REFUSED = new Set<string>([
  'FST_IF_MATCH_PRECONDITION_FAILED',
  'FST_IF_MATCH_ENTITY_ABSENT',
  'FST_IF_MATCH_INVALID_KEY',
  'FST_IF_MATCH_INVALID_VALUE',
  'FST_IF_MATCH_CONSTRAINT'
])

/**
 * The same error with a warning: in place of "send the request again", or behind what the client has to change. Other
 * errors come back as they are.
 */
export function withWarning (error: unknown, warning: string | undefined): unknown {
  if (warning === undefined || !isIfMatchError(error) || error.message.endsWith(warning)) return error
  const what = WHAT[error.code] ?? (REFUSED.has(error.code) ? error.message : undefined)
  if (what === undefined) return error
  // A new one: an adapter may reject the writes of several requests with one error. The cause of a refusal has details
  // for the error handler, such as the name of a constraint.
  const told = new errorCodes[error.code]({ cause: what === error.message ? error.cause : error })
  told.message = `${what} ${warning}`
  return withFacts(told, factsOf(error))
}
