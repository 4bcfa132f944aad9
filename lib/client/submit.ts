import type { Attempts } from './attempts.js'
import { ConflictError, errorOf, OutcomeUnknownError, type RequestError, type Seen } from './errors.js'
import { exchange, type Answer, type Call, type Request } from './exchange.js'
import { parsed, sameJson } from './json.js'
import { readIfThere } from './read.js'
import type { Current, IsApplied, Written } from './types.js'

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
  let error: RequestError | undefined
  try {
    for (;;) {
      const answer = await exchange(call, change)
      const { status, retryAfter } = answer
      // 202 promises nothing (RFC 9110 15.3.3).
      if (status >= 200 && status < 300 && status !== 202) return confirmed(change, answer)
      error = errorOf(change, answer)
      if (isRefusedForNow(answer, error)) {
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
      seen = seenOf(change, current)
      if (seen !== 'base') {
        const applied = change.isApplied(current)
        if (applied === true) return { value: current?.value as T, etag: current?.etag, outcome: 'found' }
        if (applied === undefined) throw error
        const message = `${change.method} ${change.url}: another change was faster`
        return new ConflictError('NOT_APPLIED', message, { current, cause: error })
      }
      if (isLast) throw error
    }
  } catch (cause) {
    if (!lost) throw cause
    throw unknown(change, seen, current, cause)
  }
}

/**
 * Whether the server says that it did nothing, and when to try again: ahead of the handler (RFC 6585 4), or by a code
 * of the plugin. Anybody may send a 503 with `Retry-After`, also a proxy whose server broke off after it had written.
 */
function isRefusedForNow ({ status, retryAfter }: Answer, { code }: RequestError): boolean {
  return retryAfter !== undefined &&
    (status === 429 || (status === 503 && /^FST_IF_MATCH_(CONTENTION|STORAGE_UNAVAILABLE)$/.test(code)))
}

function confirmed<T> ({ sent }: Change<T>, { text, etag }: Answer): Written<T> {
  return { value: (parsed(text) ?? sent) as T, etag, outcome: 'confirmed' }
}

function seenOf<T> ({ base }: Change<T>, current: Current<T> | undefined): Seen {
  if ((current?.etag ?? null) === base) return 'base'
  return current === undefined ? 'absent' : 'changed'
}

const SEEN = {
  unread: 'It could not be read since',
  base: 'It was not applied so far, but may still arrive',
  changed: 'The entity was changed, by this request or by another one',
  absent: 'The entity is gone'
}

function unknown<T> (
  { method, url, sent }: Change<T>, seen: Seen, current: Current<T> | undefined, cause: unknown
): OutcomeUnknownError {
  const message = `${method} ${url}: OUTCOME UNKNOWN. ${SEEN[seen]}. Read before you send it again`
  const status = (cause as { status?: number } | null)?.status
  return new OutcomeUnknownError('OUTCOME_UNKNOWN', message, { status, current, cause, seen, sent })
}

/** A function that looks for a change in what is stored. An entity that is gone tells nothing. */
export function applied<T> (
  isApplied: IsApplied<T> | undefined, sent: T
): (current: Current<T> | undefined) => boolean | undefined {
  return (current) => {
    if (isApplied === undefined || current === undefined) return undefined
    return isApplied === 'equal' ? sameJson(current.value, sent) || undefined : isApplied(current.value, sent)
  }
}
