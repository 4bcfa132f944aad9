import type { Notice } from './notice.js'

/** Why a request did not do what it was to do. */
export type Failure =
  /**
   * The server refused it, with the code of its error. `NotJson`: the answer is not of this API. `NoTag`: it is an
   * offer without a tag.
   */
  | { kind: 'refused', status: number, code: string, message: string }
  /** No whole answer came: a write may have been applied. */
  | { kind: 'lost' }

const KEY_OF_CODE = {
  Unauthorized: 'failedToken',
  Forbidden: 'failedRole',
  OfferNotFound: 'failedGone',
  VersionNotFound: 'failedGone',
  SlotEmpty: 'failedSlot',
  // The page speaks of routes and a version that the server does not have, or the answer is that of something else.
  RouteNotFound: 'failedOtherServer',
  MethodNotAllowed: 'failedOtherServer',
  InvalidAPIVersion: 'failedOtherServer',
  NotJson: 'failedOtherServer',
  NoTag: 'failedNoTag',
  DocumentTooLarge: 'failedTooLarge',
  OfferNotPublishable: 'failedNotPublishable',
  OperationInProgress: 'failedInProgress',
  NotWaitingForSignoff: 'failedNotWaiting',
  PreconditionFailed: 'failedChanged',
  StorageUnavailable: 'failedStorage',
  Contention: 'failedBusy',
  Overloaded: 'failedOverloaded',
  TooManyRequests: 'failedOverloaded'
} as const

/** Codes of a write that may have been applied. Without its tag nothing can be said of the version that it made. */
const UNKNOWN_CODES: ReadonlySet<string> = new Set(['OutcomeUnknown', 'NoTag'])

/** The sentence about a failure. What the server says itself is in it where the person can act on it. */
export function noticeOfFailure (failure: Failure): Notice {
  if (failure.kind === 'lost') return { tone: 'bad', key: 'failedAway' }
  const { code, status, message } = failure
  const values = { message, status: String(status) }
  if (Object.hasOwn(KEY_OF_CODE, code)) {
    return { tone: 'bad', key: KEY_OF_CODE[code as keyof typeof KEY_OF_CODE], values }
  }
  return { tone: 'bad', key: status >= 500 ? 'failedServer' : 'failedRefused', values }
}

/** Codes of 503 by which the server says that certainly nothing was applied. */
const REFUSAL_CODES: ReadonlySet<string> = new Set(['StorageUnavailable', 'Contention', 'Overloaded'])

/** Whether a write that failed so may have been applied all the same. */
export function isOutcomeUnknown (failure: Failure): boolean {
  if (failure.kind === 'lost' || UNKNOWN_CODES.has(failure.code)) return true
  // A server may fail behind its write, and a gateway answers for one that is still at work.
  return failure.status >= 500 && !REFUSAL_CODES.has(failure.code)
}
