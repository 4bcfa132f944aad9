import { attempts } from './attempts.js'
import { ConflictError } from './errors.js'
import { isTag, type Call } from './exchange.js'
import { parsed, sameJson } from './json.js'
import { read } from './read.js'
import { submit, type Change } from './submit.js'
import type { Current, IsApplied, Strategy, Written } from './types.js'

/** A PUT of this value. */
export function putOf<T> (
  url: string, value: T, headers: Record<string, string>, isApplied: IsApplied<T> | undefined
): Change<T> {
  const body = JSON.stringify(value) as string | undefined
  if (body === undefined) throw new TypeError('The value is no JSON')
  // What is compared later is what was sent: without members that are undefined, and with dates as texts.
  const sent = parsed(body) as T
  const all = { 'content-type': 'application/json', ...headers }
  return { method: 'PUT', url, headers: all, body, sent, isApplied: applied(isApplied, sent) }
}

/** A function that looks for a change in what is stored. An entity that is gone tells nothing. */
function applied<T> (isApplied: IsApplied<T> | undefined, sent: T): Change<T>['isApplied'] {
  return (current) => {
    if (!isApplied || !current) return undefined
    return isApplied === 'equal' ? sameJson(current.value, sent) || undefined : isApplied(current.value, sent)
  }
}

/** If-Match as the caller asked for it. `*` comes from `overwrite` alone, never from a tag. */
export function matching ({ etag, overwrite }: Strategy): Record<string, string> {
  const tag = overwrite === true ? etag === undefined && '*' : isTag(etag) && etag
  if (tag) return { 'if-match': tag }
  throw new TypeError('Pass the etag that was read, or overwrite: true')
}

/**
 * Sends a change until it is known what became of it. After a 412 it reads: the change may be there all the same,
 * because something on the way has sent it twice. A conflict is an error, with what is stored now. It is given if the
 * caller may try `again` with that, and thrown otherwise.
 */
export async function write<T> (
  call: Call, change: Change<T>, tries = attempts(call), again = false
): Promise<Written<T> | ConflictError> {
  const fate = await submit(call, change, tries)
  if (!(fate instanceof ConflictError)) return fate
  const isLast = !again || !tries.left()
  if (!fate.current) {
    if (!isLast) await tries.next()
    let current: Current<T>
    try {
      current = await read<T>(call, change.url, tries)
    } catch (cause) {
      call.signal?.throwIfAborted()
      fate.message += '. It could not be read since'
      fate.cause = cause
      throw fate
    }
    if (change.isApplied(current) === true) return { ...current, outcome: 'found' }
    fate.current = current
    if (change.headers['if-match'] === current.etag) {
      fate.message += '. Its tag is current, but weak, or changed on its way'
      throw fate
    }
  }
  if (isLast) throw fate
  return fate
}
