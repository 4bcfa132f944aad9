import { attempts, type Attempts } from './attempts.js'
import { ConflictError } from './errors.js'
import { isTag, type Call } from './exchange.js'
import { parsed } from './json.js'
import { read } from './read.js'
import { applied, submit, type Change } from './submit.js'
import type { Current, IsApplied, Strategy, Written } from './types.js'

/** A PUT of this value. */
export function putOf<T> (
  url: string, value: T, headers: Record<string, string>, base: Change<T>['base'], isApplied: IsApplied<T> | undefined
): Change<T> {
  const body = JSON.stringify(value) as string | undefined
  if (body === undefined) throw new TypeError('A value that is no JSON cannot be written')
  // What is compared later is what was sent: without members that are undefined, and with dates as texts.
  const sent = parsed(body) as T
  const all = { 'content-type': 'application/json', ...headers }
  return { method: 'PUT', url, headers: all, body, sent, base, isApplied: applied(isApplied, sent) }
}

/** If-Match as the caller asked for it. `*` comes from `overwrite` alone, never from a tag. */
export function matching ({ etag, overwrite }: Strategy): Record<string, string> {
  if (overwrite === true && etag === undefined) return { 'if-match': '*' }
  if (isTag(etag) && overwrite !== true) return { 'if-match': etag }
  throw new TypeError('Pass the etag of what was read, or overwrite: true, which lets the last one win')
}

/** Sends a change until it is known what became of it: a conflict is an error, with what is stored now. */
export async function write<T> (call: Call, change: Change<T>): Promise<Written<T>> {
  const tries = attempts(call)
  const fate = await submit(call, change, tries)
  if (!(fate instanceof ConflictError)) return fate
  const found = await afterRefusal(call, change, tries, fate)
  if (found !== undefined) return found
  throw fate
}

/**
 * Reads what is stored after a 412, as the `current` of the error. Gives the change if it is there all the same:
 * something on the way has sent it twice. Throws the error if nothing more can be done: it could not be read, or the
 * tag is the current one.
 */
export async function afterRefusal<T> (
  call: Call, change: Change<T>, tries: Attempts, error: ConflictError
): Promise<Written<T> | undefined> {
  if (error.current !== undefined) return undefined
  let current: Current<T>
  try {
    current = await read<T>(call, change.url, tries)
  } catch (cause) {
    call.signal?.throwIfAborted()
    error.message += '. What is stored now could not be read'
    error.cause = cause
    throw error
  }
  if (change.isApplied(current) === true) return { ...current, outcome: 'found' }
  error.current = current
  if (change.base !== current.etag) return undefined
  error.message += '. The tag is the current one: it is weak (RFC 9110 13.1.1), or was changed on its way'
  throw error
}
