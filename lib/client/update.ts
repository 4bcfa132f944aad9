import { attempts } from './attempts.js'
import type { Call } from './exchange.js'
import { parsed, sameJson } from './json.js'
import { read } from './read.js'
import { submit } from './submit.js'
import type { Mutate, UpdateOptions, Written } from './types.js'
import { explain, isAppliedAlready, putOf } from './write.js'

/** Reads, changes and writes under the tag that was read; after a conflict again, with what is stored then. */
export async function update<T> (
  call: Call & UpdateOptions<T>, url: string, mutate: Mutate<T>
): Promise<Written<T>> {
  const tries = attempts(call)
  let current = await read<T>(call, url)
  let change: Mutate<T> = mutate
  for (;;) {
    // A copy, because the function may change what it is given.
    const base = parsed(JSON.stringify(current.value)) as T
    const { etag, value } = current
    const changed = await change(value)
    const put = putOf(url, (changed === undefined ? value : changed) as T, { 'if-match': etag }, etag, call.isApplied)
    if (sameJson(put.sent, base)) return { value: base, etag, outcome: 'unchanged' }
    const fate = await submit(call, put, tries)
    if ('outcome' in fate) return fate
    const isLast = !tries.left()
    if (fate.current === undefined) {
      if (!isLast) await tries.next()
      fate.current = await read<T>(call, url)
      if (isAppliedAlready(call, put, fate.current)) return { ...fate.current, outcome: 'found' }
    }
    current = fate.current
    fate.error.current = current
    if (explain(fate, put, current) || isLast) throw fate.error
    const { onConflict } = call
    if (onConflict !== undefined) change = async (theirs) => await onConflict({ base, mine: put.sent, theirs })
  }
}
