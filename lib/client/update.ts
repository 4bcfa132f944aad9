import { attempts } from './attempts.js'
import { ConflictError } from './errors.js'
import type { Call } from './exchange.js'
import { parsed, sameJson } from './json.js'
import { read } from './read.js'
import type { Current, Mutate, UpdateOptions, Written } from './types.js'
import { putOf, write } from './write.js'

/** Reads, changes and writes under the tag that was read; after a conflict again, with what is stored then. */
export async function update<T> (
  call: Call & UpdateOptions<T>, url: string, mutate: Mutate<T>
): Promise<Written<T>> {
  const tries = attempts(call)
  let current = await read<T>(call, url, tries)
  let change: Mutate<T> = mutate
  for (;;) {
    // A copy, because the function may change what it is given.
    const base = parsed(JSON.stringify(current.value)) as T
    const { etag, value } = current
    const changed = await change(value)
    const put = putOf(url, (changed === undefined ? value : changed) as T, { 'if-match': etag }, call.isApplied)
    if (sameJson(put.sent, base)) return { value: base, etag, outcome: 'unchanged' }
    const fate = await write(call, put, tries, true)
    if (!(fate instanceof ConflictError)) return fate
    current = fate.current as Current<T>
    const { onConflict } = call
    if (onConflict) change = (theirs) => onConflict({ base, mine: put.sent, theirs })
  }
}
