import type { Attempts } from './attempts.js'
import { ConflictError, errorOf, OutcomeUnknownError, type RequestError, type Seen } from './errors.js'
import { exchange, type Answer, type Call, type Request } from './exchange.js'
import { parsed } from './json.js'
import { readIfThere } from './read.js'
import type { Current, Written } from './types.js'

/** A change, as it is sent, and how to recognise it in what is stored. */
export interface Change<T> extends Request {
  sent: T
  headers: Record<string, string>
  isApplied: (current: Current<T> | undefined) => boolean | undefined
}

/**
 * Sends a change until it is known what became of it. After a lost answer it reads, and sends again only what was not
 * applied so far: under the same precondition, so that at most one of them is applied, whenever the first one arrives.
 * Under an `Idempotency-Key` it sends again at once, and reads what a refusal leaves open.
 * Gives the error of a change that was refused, with what is stored now if that had to be read.
 */
export async function submit<T> (
  call: Call, change: Change<T>, tries: Attempts
): Promise<Written<T> | ConflictError> {
  let seen: Seen = 'unread'
  let current: Current<T> | undefined
  let lost: unknown = false
  // What was there when the change was made up: a tag, no entity (undefined), or anything (`*`).
  const base = change.headers['if-match']
  const { idempotencyKey } = call
  // A write that compares nothing is never sent again: it would overwrite what came after the first one.
  const resends = idempotencyKey && base !== '*'
  try {
    const headers = { ...change.headers, ...idempotencyKey && { 'idempotency-key': idempotencyKey() } }
    for (;;) {
      const answer = await exchange(call, { ...change, headers })
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
      // The key belongs to this change alone, so it is this change of which the server says that it was applied.
      const isOwn = resends && error.ownWrite
      lost ||= status < 400 || status >= 500 || isOwn
      if (!lost) {
        if (error instanceof ConflictError) return error
        throw error
      }
      seen = 'unread'
      current = undefined
      // An answer that would be the same again is not asked for again.
      const isLast = (status > 0 && status < 500) || !tries.left(retryAfter)
      if (!isLast) {
        await tries.next(retryAfter)
        if (resends) continue
      }
      current = await readIfThere<T>(call, change.url, tries)
      seen = current?.etag === base ? 'base' : current ? 'changed' : 'absent'
      if (seen !== 'base') {
        const applied = isOwn && current ? true : change.isApplied(current)
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
    throw new OutcomeUnknownError(
      'OUTCOME_UNKNOWN',
      `${change.method} ${change.url}: OUTCOME UNKNOWN. ${SEEN[seen]}. Read before you send it again`,
      // What was thrown may be anything, also nothing: a signal has any reason.
      { status: (cause as { status?: number } | null | undefined)?.status, current, cause, seen, sent: change.sent }
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
