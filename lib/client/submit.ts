import type { Attempts } from './attempts.js'
import { ConflictError, errorOf, OutcomeUnknownError, type RequestError, type Seen } from './errors.js'
import { exchange, type Answer, type Call, type Request } from './exchange.js'
import { parsed } from './json.js'
import { readIfThere } from './read.js'
import type { Current, Written } from './types.js'

/** A change, as it is sent, and how to recognise it in what is stored. */
export interface Change<T> extends Request {
  sent: T
  /** What was there when it was made up: a tag, no entity (null), or anything (undefined). */
  base: string | null | undefined
  isApplied: (current: Current<T> | undefined) => boolean | undefined
}

/**
 * Sends a change until it is known what became of it. After a lost answer it reads, and sends again only what was not
 * applied so far: under the same precondition, so that at most one of them is applied, whenever the first one arrives.
 * Gives the error of a change that was refused, with what is stored now if that had to be read.
 */
export async function submit<T> (
  call: Call, change: Change<T>, tries: Attempts
): Promise<Written<T> | ConflictError> {
  let seen: Seen = 'unread'
  let current: Current<T> | undefined
  let lost = false
  try {
    for (;;) {
      const answer = await exchange(call, change)
      const { status, retryAfter } = answer
      // 202 promises nothing (RFC 9110 15.3.3).
      if (status >= 200 && status < 300 && status !== 202) {
        return { value: (parsed(answer.text) ?? change.sent) as T, etag: answer.etag, outcome: 'confirmed' }
      }
      const error = errorOf(change, answer)
      if (isRefusedForNow(call, answer, error)) {
        if (!tries.left(retryAfter)) throw error
        await tries.next(retryAfter)
        continue
      }
      lost ||= status < 400 || status >= 500
      if (!lost) {
        if (error instanceof ConflictError) return error
        throw error
      }
      seen = 'unread'
      current = undefined
      // An answer that would be the same again is not asked for again.
      const isLast = (status > 0 && status < 500) || !tries.left(retryAfter)
      if (!isLast) await tries.next(retryAfter)
      current = await readIfThere<T>(call, change.url, tries)
      seen = (current?.etag ?? null) === change.base ? 'base' : current ? 'changed' : 'absent'
      if (seen !== 'base') {
        const applied = change.isApplied(current)
        // Nothing is what a removal alone looks for, and of that the outcome alone is told.
        if (applied === true) return { ...current!, outcome: 'found' }
        if (applied === undefined) throw error
        return new ConflictError(
          'NOT_APPLIED', `${change.method} ${change.url}: it was not applied`, { current, cause: error }
        )
      }
      if (isLast) throw error
    }
  } catch (cause) {
    if (!lost) throw cause
    const { method, url, sent } = change
    throw new OutcomeUnknownError(
      'OUTCOME_UNKNOWN',
      `${method} ${url}: OUTCOME UNKNOWN. ${SEEN[seen]}. Read before you send it again`,
      // What was thrown may be anything, also nothing: a signal has any reason.
      { status: (cause as { status?: number } | null | undefined)?.status, current, cause, seen, sent }
    )
  }
}

/**
 * Whether the server says that it did nothing, and when to try again: ahead of the handler (RFC 6585 4), or by a code
 * of the plugin, or one that the caller vouches for. Anybody may send a 503 with `Retry-After`, also a proxy whose
 * server broke off after it had written.
 */
function isRefusedForNow (
  { refusalCodes }: Call, { status, retryAfter }: Answer, { code }: RequestError
): boolean | undefined {
  return retryAfter !== undefined && (status === 429 || (status === 503 &&
    (/^FST_IF_MATCH_(CONTENTION|STORAGE_UNAVAILABLE)$/.test(code) || refusalCodes?.includes(code))))
}

const SEEN = {
  unread: 'It could not be read since',
  base: 'It was not applied so far, but may still arrive',
  changed: 'The entity was changed, by this or another request',
  absent: 'The entity is gone'
}
