import type { StorageAdapter } from '../storage/adapter.js'
import type { Harness } from './harness.js'

/** How many adapters the callers of a case use, as titles say it. */
export type AdapterCount = 'one adapter' | 'two adapters'

/** Gives each caller of a case, by its index, the adapter that it uses. Callers take the adapters in turn. */
export async function adaptersInTurn (
  harness: Harness,
  count: AdapterCount
): Promise<(caller: number) => StorageAdapter> {
  const adapters = [harness.adapter]
  if (count === 'two adapters') adapters.push(await harness.another())
  return (caller) => adapters[caller % adapters.length]!
}

/** Starts all calls in one turn of the event loop: each caller has asked before any can have its answer. */
export async function together<R> (callers: number, call: (caller: number) => Promise<R>): Promise<R[]> {
  return await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
}

/** Waits until all of them have settled, so that none goes on after the case. Rejects with the first failure. */
export async function allSettled (calls: ReadonlyArray<Promise<unknown>>): Promise<void> {
  const failed = (await Promise.allSettled(calls)).find((answer) => answer.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
