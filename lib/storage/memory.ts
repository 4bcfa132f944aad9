import type { Expectation, ListingAdapter, ListOptions, Page, ReadOptions, Stored, WriteOptions } from './adapter.js'
import { assertNoContext } from './kit/context.js'
import { satisfies } from './kit/expectation.js'
import { assertNoFlaw, unknownOption } from './kit/flaws.js'
import { copyJson, copyOfJson } from './kit/json.js'
import { checkKey, compareKeys } from './kit/key.js'
import { pageLimit, pageOf } from './kit/page.js'
import { throwIfStopped } from './kit/stop.js'
import { lateStored } from './kit/stored-json.js'
import { needsNoValue, withoutValue } from './kit/unless.js'
import { newVersion } from './kit/version.js'

/** Options of `memoryAdapter`. */
export interface MemoryAdapterOptions {
  /**
   * For tests: called with every operation, which it carries out by calling `step`, a synchronous, atomic function. To
   * make a storage that begins late, wait before the step; for one that answers late, wait after it; for one that
   * fails, throw.
   */
  around?: <R>(step: () => R, operation: Operation, key: string) => R | Promise<R>
}

/** An entity as it is kept: its value is never changed, and its text is made once, for all reads of it. */
interface Kept<T> {
  readonly version: string
  readonly facts: Readonly<Omit<Stored, 'value' | 'json'>>
  readonly value: T
  json: string | undefined
}

type Operation = 'read' | 'write' | 'remove' | 'list'

/**
 * Keeps entities in a Map, for tests and demos. They end with the process, and no other process sees them. Within the
 * process the adapter keeps the whole contract of `StorageAdapter`.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS
 * @example
 * await app.register(ifMatch, { storage: memoryAdapter() })
 */
export function memoryAdapter<T = unknown> (options: MemoryAdapterOptions = {}): ListingAdapter<T> {
  const { around } = Object(options) as MemoryAdapterOptions
  assertNoFlaw('memoryAdapter', [
    [around !== undefined && typeof around !== 'function', '"around" must be a function.'],
    unknownOption(options, { around })
  ])
  const entities = new Map<string, Kept<T>>()
  let sorted: string[] | undefined

  // Compares and acts without an await, so nothing else in this process runs in between.
  function change<A> (key: string, expectation: Expectation, apply: (current: Kept<T> | undefined) => A) {
    const current = entities.get(key)
    if (satisfies(expectation, current?.version)) return apply(current)
    return { applied: false as const, current: current && storedOf(current) }
  }

  function run<R> (operation: Operation, key: string, options: ReadOptions | undefined, step: () => R): R | Promise<R> {
    assertNoContext('memoryAdapter', options)
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
        if (current === undefined) return undefined
        if (needsNoValue(options, current.version)) return withoutValue(current.facts)
        current.json ??= JSON.stringify(current.value)
        return storedOf(current)
      })
    },

    async write (key, value, expectation, options?: WriteOptions) {
      checkKey(key)
      const copied = copyJson(value)
      return run('write', key, options, () => change(key, expectation, (current) => {
        const version = newVersion()
        const facts = { version, replaced: current?.version, digest: options?.digest }
        entities.set(key, { version, facts, value: copied, json: undefined })
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
        const first = firstAfter(sorted, prefix, options.after)
        const keys = sorted.slice(first, first + limit + 1).filter((key) => key.startsWith(prefix))
        return pageOf(keys.map((key) => Object.assign(storedOf(entities.get(key)!), { key })), limit)
      })
    }
  }
}

// Whoever asks for the value has a copy of its own.
function storedOf<T> ({ json, facts, value }: Kept<T>): Stored<T> {
  return lateStored(json, facts, () => copyOfJson(value))
}

// The index of the first key that is neither before the prefix, nor before or equal to `after`.
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
