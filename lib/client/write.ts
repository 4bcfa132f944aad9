import { attempts } from './attempts.js'
import { ConflictError } from './errors.js'
import type { Call } from './exchange.js'
import { parsed } from './json.js'
import { readIfThere } from './read.js'
import { applied, submit, type Change, type Refused } from './submit.js'
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
  if (typeof etag === 'string' && etag !== '*' && etag !== '' && overwrite !== true) return { 'if-match': etag }
  throw new TypeError('Pass the etag of what was read, or overwrite: true, which lets the last one win')
}

/** Sends a change once: a conflict is an error, with what is stored now. */
export async function write<T> (
  call: Call & { isApplied?: IsApplied<T> | undefined }, change: Change<T>
): Promise<Written<T>> {
  const fate = await submit(call, change, attempts(call))
  if ('outcome' in fate) return fate
  if (fate.error.current === undefined) {
    // The refusal is certain, so a read that fails does not take its place.
    const current = await readIfThere<T>(call, change.url).catch(() => undefined)
    if (current !== undefined) {
      if (isAppliedAlready(call, change, current)) return { ...current, outcome: 'found' }
      fate.error.current = current
      explain(fate, change, current)
    }
  }
  throw fate.error
}

/** Whether a change that was refused is there all the same: something on the way has sent it twice. */
export function isAppliedAlready<T> (
  { isApplied }: { isApplied?: IsApplied<T> | undefined }, change: Change<T>, current: Current<T>
): boolean {
  return isApplied !== undefined && change.isApplied(current) === true
}

/** A tag that is refused although it is the current one will be refused for ever: gives whether it is so. */
export function explain<T> ({ error }: Refused<T>, { base }: Change<T>, current: Current<T>): boolean {
  if (!(error instanceof ConflictError) || base !== current.etag) return false
  error.message += '. The tag is the current one: it is weak (RFC 9110 13.1.1), or was changed on its way'
  return true
}
