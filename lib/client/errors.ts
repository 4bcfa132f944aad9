import type { Answer, Request } from './exchange.js'
import { parsed } from './json.js'
import type { Current } from './types.js'

type OwnWrite = 'current' | 'superseded'

interface Details {
  status?: number | undefined
  current?: Current<unknown> | undefined
  body?: unknown
  retryAfter?: number | undefined
  ownWrite?: OwnWrite | undefined
  cause?: unknown
  seen?: Seen
  sent?: unknown
}

/**
 * What was seen of an entity after an answer was lost: nothing (`unread`), the version that was to be changed, so that
 * the change was not applied so far, but may still arrive (`base`), another version (`changed`), no entity (`absent`).
 */
export type Seen = 'unread' | 'base' | 'changed' | 'absent'

/**
 * A request that failed. Its `code` is that of the server's answer, or `HTTP_` and the status of an answer without one,
 * or one of this client: `NO_ANSWER`, `NOT_JSON`, `MISSING_TAG`, `NOT_APPLIED`, `OUTCOME_UNKNOWN`.
 */
export class RequestError extends Error {
  override name = 'RequestError'
  declare code: string
  /** The status of the answer; undefined if there was none; 303 for a redirect that the platform followed or hides. */
  declare status: number | undefined
  /** What is stored now, as far as it is known. */
  declare current: Current<unknown> | undefined
  /** The body of the answer, if it is JSON. */
  declare body: unknown
  /** How long the server asks to wait, in milliseconds. */
  declare retryAfter: number | undefined
  /**
   * What the server says of a write that it refuses, on a route with the option `resend`: an earlier try of it was
   * applied, and is what is stored (`'current'`), or others have written since (`'superseded'`).
   */
  declare ownWrite: OwnWrite | undefined

  constructor (code: string, message: string, details: Details = {}) {
    super(message, details)
    Object.assign(this, { code, ...details })
  }
}

/**
 * The entity is another version: the server answered 412, or its answer was lost and `isApplied` says that the change
 * was not applied (`NOT_APPLIED`). `current` is what is stored now; undefined if it could not be read, and `cause` says
 * why. Where something on the way sends a write twice, the 412 may be the answer to the second one: only `isApplied`
 * can tell (engine-facts#chromium-sends-put-twice).
 */
export class ConflictError extends RequestError {
  override name = 'ConflictError'
}

/** `MISSING_TAG`: an answer to a GET has no `ETag`, so nothing can be written under it. */
export class MissingTagError extends RequestError {
  override name = 'MissingTagError'
}

/**
 * `OUTCOME_UNKNOWN`: the answer to a write was lost, and what is stored does not tell whether it was applied. `current`
 * is what is stored now; undefined if it is gone, or could not be read. `cause` is what failed last.
 */
export class OutcomeUnknownError extends RequestError {
  override name = 'OutcomeUnknownError'
  declare seen: Seen
  /** What was sent; undefined for a removal. */
  declare sent: unknown
}

/** What an error says of itself. */
interface Told { code?: unknown, ownWrite?: OwnWrite, message?: unknown, detail?: unknown }

/** The error of an answer that is no success. */
export function errorOf (request: Request, answer: Answer): RequestError {
  const { status, cause, retryAfter } = answer
  if (status === 0) return new RequestError('NO_ANSWER', `${request.method} ${request.url}: no answer`, { cause })
  const body = parsed(answer.text) as Told & { error?: Told | string } | undefined
  // Fastify and RFC 9457 have the code at the top, the offers API one level below.
  const told = typeof body?.error === 'object' ? body.error : body
  const code = textOf(told?.code) ?? `HTTP_${status}`
  const words = textOf(told?.detail) ?? textOf(told?.message) ?? ''
  const ErrorClass = status === 412 ? ConflictError : RequestError
  const message = `${request.method} ${request.url}: ${status} ${words}`
  return new ErrorClass(code, message.trim(), { status, body, retryAfter, ownWrite: told?.ownWrite })
}

/** Whatever is no text stays out: it may have no text form, and making one would throw. */
function textOf (member: unknown): string | undefined {
  return typeof member === 'string' ? member : undefined
}
