import { errorCodes, isIfMatchError } from '../errors.js'

/** What happened, without the next step, where the next step would be to send the request again. */
const WHAT = {
  FST_IF_MATCH_CONTENTION: 'Other writers were faster each time, and this step was not applied.',
  FST_IF_MATCH_STORAGE_UNAVAILABLE: 'The storage does not answer, and this step was not carried out.'
} as const

/** The same error with a warning in place of "send the request again". Other errors come back as they are. */
export function withWarning (error: unknown, warning: string): unknown {
  if (!isIfMatchError(error) || !isResent(error.code) || error.message.endsWith(warning)) return error
  // A new one: an adapter may reject the writes of several requests with one error.
  const told = new errorCodes[error.code]({ cause: error })
  told.message = `${WHAT[error.code]} ${warning}`
  return told
}

function isResent (code: string): code is keyof typeof WHAT {
  return Object.hasOwn(WHAT, code)
}
