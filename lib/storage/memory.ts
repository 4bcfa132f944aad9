import type { Expectation, ListingAdapter, ListOptions, Page, ReadOptions, Stored, WriteOptions } from './adapter.js'
import { satisfies } from './kit/expectation.js'
import { copyJson } from './kit/json.js'
import { checkKey, compareKeys } from './kit/key.js'
import { pageLimit } from './kit/page.js'
import { throwIfStopped } from './kit/stop.js'
import { newVersion } from './kit/version.js'

/** Options of `memoryAdapter`. */
export interface MemoryAdapterOptions {
  /**
   * For tests: runs around every operation. `step` is the operation itself, one synchronous, atomic step.
   * Wait before it for a store that is slow to begin, after it for one that answers late; throw for one that fails.
   */
  around?: <R>(step: () => R, operation: 'read' | 'write' | 'remove' | 'list', key: string) => R | Promise<R>
}

/**
 * Keeps entities in a Map of this process: for tests and demos. What it holds ends with the process, and no other
 * process sees it. Within the process it keeps the whole contract of `StorageAdapter`.
 *
 * @example
 * await app.register(ifMatch, { storage: memoryAdapter() })
 */
export function memoryAdapter<T = unknown> ({ around }: MemoryAdapterOptions = {}): ListingAdapter<T> {
  const entities = new Map<string, Stored<T>>()
  let sorted: string[] | undefined

  // Compares and acts with no await in between: nothing else of this process can run meanwhile.
  function change<A> (key: string, expectation: Expectation, apply: (current: Stored<T> | undefined) => A) {
    const current = entities.get(key)
    if (!satisfies(expectation, current?.version)) { return { applied: false as const, current: current && copyStored(current) } }
    return apply(current)
  }

  // The step itself throws nothing but what stops it, and every method is async: it becomes a rejection.
  function run<R> (
    operation: 'read' | 'write' | 'remove' | 'list',
    key: string,
    options: ReadOptions | undefined,
    step: () => R
  ): R | Promise<R> {
    const unlessStopped = (): R => {
      throwIfStopped(options)
      return step()
    }
    return around === undefined ? unlessStopped() : around(unlessStopped, operation, key)
  }

  return {
    async read (key, options) {
      checkKey(key)
      return run('read', key, options, () => {
        const current = entities.get(key)
        return current && copyStored(current)
      })
    },

    async write (key, value, expectation, options?: WriteOptions) {
      checkKey(key)
      const copied = copyJson(value)
      return run('write', key, options, () => change(key, expectation, (current) => {
        const version = newVersion()
        entities.set(key, { value: copied, version, replaced: current?.version, digest: options?.digest })
        if (current === undefined) sorted = undefined
        return { applied: true as const, version, created: current === undefined }
      }))
    },

    async remove (key, expectation, options) {
      checkKey(key)
      return run('remove', key, options, () => change(key, expectation, () => {
        entities.delete(key)
        sorted = undefined
        return { applied: true as const }
      }))
    },

    async list (prefix, options: ListOptions = {}): Promise<Page<T>> {
      const limit = pageLimit(options.limit)
      return run('list', prefix, options, () => {
        sorted ??= [...entities.keys()].sort(compareKeys)
        const from = firstAfter(sorted, prefix, options.after)
        const keys: string[] = []
        for (let at = from; at < sorted.length && sorted[at]!.startsWith(prefix) && keys.length <= limit; at++) { keys.push(sorted[at]!) }
        const items = keys.slice(0, limit).map((key) => ({ key, ...copyStored(entities.get(key)!) }))
        return { items, next: keys.length > limit ? items.at(-1)?.key : undefined }
      })
    }
  }
}

function copyStored<T> (stored: Stored<T>): Stored<T> {
  return { ...stored, value: copyJson(stored.value) }
}

// Where a listing begins: at the first key not before the prefix, or behind `after`, whichever is later.
function firstAfter (sorted: readonly string[], prefix: string, after: string | undefined): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const key = sorted[middle]!
    const isBefore = compareKeys(key, prefix) < 0 || (after !== undefined && compareKeys(key, after) <= 0)
    if (isBefore) low = middle + 1
    else high = middle
  }
  return low
}
