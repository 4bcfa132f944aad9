import type { FastifyRequest } from 'fastify'
import type { Effect } from './entity-state.js'
import type { ErrorCode } from '../errors.js'
import type { MethodKind } from '../http/method.js'
import type { TagList } from '../http/list-header.js'
import type { Preconditions } from '../http/precondition.js'
import type { RefusalReason } from '../refusal-error.js'

/**
 * The name of the channel of `node:diagnostics_channel` on which an `OutcomeMessage` is published, once for each
 * request to a guarded route. Nothing is measured or made of a request that came while nobody listened.
 */
export const OUTCOME_CHANNEL = 'fastify-if-match:outcome'

/**
 * What a request says about concurrency: one tag or several in `If-Match`; `If-Match: *`; `If-None-Match: *`, which
 * creates; for a GET or HEAD, the copies that its client has (`If-None-Match`). `none`: nothing, or what cannot be
 * read.
 */
export type Strategy = 'tag' | 'list' | 'wildcard' | 'create' | 'revalidation' | 'none'

/** Outcomes of a request in which the plugin, or its storage, refused what was asked for. */
export type RefusedOutcome =
  /** 400 or 428: the write names no strategy. */
  | 'missing'
  /** 400: a precondition, or an `Idempotency-Key`, that cannot be read. */
  | 'malformed'
  /** 412: the entity is another version. */
  | 'mismatch'
  /** 412: the entity that was to be created exists. */
  | 'exists'
  /** 404, or 412 where the request might create it: there is no such entity. */
  | 'absent'
  /** 409: the write contradicts other stored data. */
  | 'conflict'
  /** 400 or 422: a key or a value that cannot be stored, a part of a value, an `Idempotency-Key` of another write. */
  | 'invalid'
  /** 503: others were in the way each time. */
  | 'contention'
  /** 503: the storage does not answer, and the write was not carried out. */
  | 'unavailable'
  /** 503: the write may have been applied, also where the handler answered otherwise. */
  | 'unknown'

/** What became of a request, as far as the entity of its route is concerned. */
export type Outcome = RefusedOutcome
  /** The entity was written or removed, whatever was answered then. With a context of the app: and it answered so. */
  | 'applied'
  /** The write was applied when it was sent before, and its success was told again: the option `resend`. */
  | 'repeated'
  /** The handler said that there is nothing to write, and the precondition held. */
  | 'unchanged'
  /** A read was answered. */
  | 'read'
  /** 304: the client has a current copy. */
  | 'not-modified'
  /** The app answered by itself: 401, 403, an invalid body, a redirect. */
  | 'declined'
  /** The timeout of the handler answered, and nothing was written. */
  | 'late'
  /** The client was gone before it was answered, and nothing was written. */
  | 'aborted'
  /** A mistake of the server: 500. */
  | 'failed'

const OUTCOME_OF_CODE: Partial<Record<ErrorCode, RefusedOutcome>> = {
  FST_IF_MATCH_REQUIRED: 'missing',
  FST_IF_MATCH_MALFORMED: 'malformed',
  FST_IF_MATCH_IDEMPOTENCY_KEY: 'malformed',
  FST_IF_MATCH_CONTENTION: 'contention',
  FST_IF_MATCH_STORAGE_UNAVAILABLE: 'unavailable',
  FST_IF_MATCH_OUTCOME_UNKNOWN: 'unknown',
  FST_IF_MATCH_CONSTRAINT: 'conflict',
  FST_IF_MATCH_CONTENT_RANGE: 'invalid',
  FST_IF_MATCH_INVALID_KEY: 'invalid',
  FST_IF_MATCH_KEY_REUSED: 'invalid',
  FST_IF_MATCH_INVALID_VALUE: 'invalid'
}

/** What is known of a request at its end. */
export interface Ending {
  readonly kind: MethodKind
  /** What the request did to the entity of its route. */
  readonly effect: Effect | undefined
  /** The status that was answered; undefined: the client was gone before. */
  readonly status: number | undefined
  /** The code of the error of this package that the request met last. */
  readonly code: ErrorCode | undefined
  /** What that one says stood in the way. */
  readonly reason: RefusalReason | undefined
  readonly isEntered: boolean
  /** Whether the timeout of the handler answered. */
  readonly isTimedOut: boolean
}

/** What became of a request. */
export function outcomeOf (ending: Ending): Outcome {
  return outcomeOfEffect(ending) ?? outcomeOfAnswer(ending)
}

// Behind an error, a transaction of the app was most likely rolled back, and the error says more.
function outcomeOfEffect ({ effect, status, code, isTimedOut }: Ending): Outcome | undefined {
  const isSuccess = status !== undefined && status < 400
  if (effect === 'applied' || (effect === 'pending' && isSuccess)) return 'applied'
  if (effect === 'repeated' && isSuccess) return effect
  if (code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') return 'unknown'
  // The handler may be at work in its transaction still.
  if (effect === 'pending' && (status === undefined || isTimedOut)) return 'unknown'
  return effect === 'unchanged' && isSuccess ? effect : undefined
}

function outcomeOfAnswer ({ kind, status, code, reason, isEntered, isTimedOut }: Ending): Outcome {
  if (status === undefined) return 'aborted'
  if (status < 400 && kind === 'read') return status === 304 ? 'not-modified' : 'read'
  if (isTimedOut && (code === undefined || code === 'FST_IF_MATCH_LATE_WRITE')) return 'late'
  if (reason !== undefined) return reason
  // Behind an answer of the app itself a write is refused, too.
  if (code !== undefined && code !== 'FST_IF_MATCH_LATE_WRITE') return OUTCOME_OF_CODE[code] ?? 'failed'
  // A handler that answers through `reply.raw` may forget to write.
  if (status < 400) return isEntered ? 'failed' : 'declined'
  return status < 500 || status === 503 ? 'declined' : 'failed'
}

const REFUSED = new Set<Outcome>(['mismatch', 'exists', 'absent', ...Object.values(OUTCOME_OF_CODE)])

/** Whether an outcome is that of a refusal. */
export function isRefusal (outcome: Outcome): outcome is RefusedOutcome {
  return REFUSED.has(outcome)
}

/** What the headers say about concurrency; `copies`: the tags of the copies that the client of a read has. */
export function strategyOf ({ ifMatch, ifNoneMatch }: Preconditions, copies: TagList | undefined): Strategy {
  if (ifMatch !== undefined) return ifMatch === '*' ? 'wildcard' : ifMatch.length === 1 ? 'tag' : 'list'
  if (ifNoneMatch === '*') return 'create'
  return copies === undefined ? 'none' : 'revalidation'
}

/** What a listener of the channel is given of a request. It has neither its key nor its values. */
export interface OutcomeMessage {
  /** The pattern of the route, with all prefixes: `/offers/:id`. There are as many as routes. */
  readonly route: string
  readonly method: string
  readonly strategy: Strategy
  readonly outcome: Outcome
  /** The code of the error behind a refusal, or an answer of 400 or above, if it was one of this package. */
  readonly code: ErrorCode | undefined
  /** Whether a write came without a strategy, and the option `missing` let it through. */
  readonly isLetThrough: boolean
  /** How often a write to the entity of the route was sent to the storage. */
  readonly attempts: number
  /** For how long the request waited for the storage, in milliseconds. */
  readonly storageTime: number
  /** The status that was answered; undefined: the client was gone before. */
  readonly status: number | undefined
  /** The request itself, for who asks for it. It is not enumerable, so no log or copy of the message has it. */
  readonly request: FastifyRequest
  /** The key of the entity, if the request came so far. It is not enumerable. */
  readonly key: string | undefined
}
