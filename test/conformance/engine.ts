import { setImmediate as turn } from 'node:timers/promises'
import { OutcomeUnknownError, StorageUnavailableError } from '../../lib/errors.js'
import type { Subject } from '../../lib/conformance/index.js'
import type { Expectation, StorageAdapter, Stored, WriteOptions } from '../../lib/storage/adapter.js'
import { satisfies } from '../../lib/storage/kit/expectation.js'
import { copyJson } from '../../lib/storage/kit/json.js'
import { checkKey, compareKeys } from '../../lib/storage/kit/key.js'
import { pageLimit } from '../../lib/storage/kit/page.js'
import { newVersion } from '../../lib/storage/kit/version.js'

/** What all adapters of one subject share. */
export interface Engine {
  rows: Map<string, Stored>
  isCut: boolean
  onMend: Array<() => unknown>
}

type Change = 'write' | 'remove'

/** The decisions of a sound adapter, each of which a mutant may take in another way. */
export interface Parts {
  checkKey (key: unknown): void
  address (key: string): string
  take (value: unknown): unknown
  give (row: Stored, to: 'read' | Change | 'list'): Stored
  satisfies (expectation: Expectation, version: string | undefined, change: Change): boolean
  decide<R> (look: () => Stored | undefined, act: (current: Stored | undefined) => R): R | Promise<R>
  version (current: Stored | undefined, value: unknown, expectation: Expectation): string
  remembered (current: Stored | undefined, options: WriteOptions | undefined): Pick<Stored, 'replaced' | 'digest'>
  look (rows: Engine['rows'], key: string): Stored | undefined
  put (rows: Engine['rows'], key: string, row: Stored): void
  drop (rows: Engine['rows'], key: string): void
  onRefusal (rows: Engine['rows'], key: string): void
  isListed (key: string, prefix: string): boolean
  isBehind (key: string, after: string): boolean
  order (a: string, b: string): number
  limit (limit: number | undefined): number
  next (keys: readonly string[], limit: number): string | undefined
  checkSignal (signal: AbortSignal | undefined): void
  reach (engine: Engine): void
  lostAnswer (change: 'read' | Change | 'list'): Error
  /** The adapter as its callers see it. */
  wrap (adapter: StorageAdapter, engine: Engine): StorageAdapter
}

const sound: Parts = {
  checkKey,
  address: (key) => key,
  take: copyJson,
  give: copyOf,
  satisfies,
  decide: (look, act) => act(look()),
  version: newVersion,
  remembered: (current, options) => ({ replaced: current?.version, digest: options?.digest }),
  look: (rows, key) => rows.get(key),
  put: (rows, key, row) => rows.set(key, row),
  drop: (rows, key) => rows.delete(key),
  onRefusal: () => {},
  isListed: (key, prefix) => key.startsWith(prefix),
  isBehind: (key, after) => compareKeys(key, after) > 0,
  order: compareKeys,
  limit: pageLimit,
  next: (keys, limit) => (keys.length > limit ? keys[limit - 1] : undefined),
  checkSignal: (signal) => signal?.throwIfAborted(),
  reach (engine) {
    if (engine.isCut) throw new StorageUnavailableError()
  },
  lostAnswer: (change) =>
    change === 'write' || change === 'remove' ? new OutcomeUnknownError() : new StorageUnavailableError(),
  wrap: (adapter) => adapter
}

/** Gives the replaced parts, anew for every adapter: state that they keep is that of one process. */
export type Flaw = () => Partial<Parts>

/** An adapter that is wrong in one respect. */
export interface Mutant {
  /** What it does. */
  adapter: string
  flaw: Flaw
  /** The cases of the suite that fail for it, all of them. */
  caughtBy: readonly string[]
}

/** A flaw in methods as their callers see them. */
export function replacing (methods: (adapter: StorageAdapter, engine: Engine) => Partial<StorageAdapter>): Flaw {
  return () => ({ wrap: (adapter, engine) => ({ ...adapter, ...methods(adapter, engine) }) })
}

/** The title of a case that runs on one adapter and on two. */
export function onOneAndTwo (group: 'contention' | 'concurrency', title: string): string[] {
  return [`${group}, one adapter: ${title}`, `${group}, two adapters: ${title}`]
}

/** A record that shares nothing with the one in the store. */
export function copyOf (row: Stored): Stored {
  return { ...row, value: copyJson(row.value) }
}

/** A store in this process that several adapters share, each with the same flaw; without one they are sound. */
export function engineSubject (flaw: Flaw = () => ({})): Subject & { engine: Engine } {
  const engine: Engine = { rows: new Map(), isCut: false, onMend: [] }
  const adapter = () => {
    const parts: Parts = { ...sound, ...flaw() }
    return parts.wrap(engineAdapter(engine, parts), engine)
  }
  return {
    engine,
    adapter: adapter(),
    another: async () => adapter(),
    async cut () {
      engine.isCut = true
      return async () => {
        engine.isCut = false
        for (const step of engine.onMend) step()
      }
    }
  }
}

function engineAdapter (engine: Engine, parts: Parts): StorageAdapter {
  // The answer needs a turn of the event loop for its way back, and is lost if the engine is cut off meanwhile.
  async function send<R> (
    operation: 'read' | Change | 'list',
    signal: AbortSignal | undefined,
    step: () => R | Promise<R>
  ): Promise<R> {
    parts.checkSignal(signal)
    parts.reach(engine)
    const result = await step()
    await turn()
    if (engine.isCut) throw parts.lostAnswer(operation)
    return result
  }

  function change<A> (
    operation: Change,
    at: string,
    expectation: Expectation,
    apply: (current: Stored | undefined) => A
  ) {
    return parts.decide(
      () => engine.rows.get(at),
      (current) => {
        if (parts.satisfies(expectation, current?.version, operation)) return apply(current)
        parts.onRefusal(engine.rows, at)
        return { applied: false as const, current: current && parts.give(current, operation) }
      }
    )
  }

  return {
    async read (key, options) {
      parts.checkKey(key)
      return await send('read', options?.signal, () => {
        const row = parts.look(engine.rows, parts.address(key))
        return row && parts.give(row, 'read')
      })
    },

    async write (key, value, expectation, options) {
      parts.checkKey(key)
      const taken = parts.take(value)
      const at = parts.address(key)
      return await send('write', options?.signal, () => change('write', at, expectation, (current) => {
        const version = parts.version(current, taken, expectation)
        parts.put(engine.rows, at, { value: taken, version, ...parts.remembered(current, options) })
        return { applied: true as const, version, created: current === undefined }
      }))
    },

    async remove (key, expectation, options) {
      parts.checkKey(key)
      const at = parts.address(key)
      return await send('remove', options?.signal, () => change('remove', at, expectation, () => {
        parts.drop(engine.rows, at)
        return { applied: true as const }
      }))
    },

    async list (prefix, { after, limit, signal } = {}) {
      const most = parts.limit(limit)
      return await send('list', signal, () => {
        const keys = [...engine.rows.keys()].sort(parts.order)
          .filter((key) => parts.isListed(key, prefix) && (after === undefined || parts.isBehind(key, after)))
        const items = keys.slice(0, most).map((key) => ({ key, ...parts.give(engine.rows.get(key)!, 'list') }))
        return { items, next: parts.next(keys, most) }
      })
    }
  }
}
