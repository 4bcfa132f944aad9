import { setImmediate as turn } from 'node:timers/promises'
import { OutcomeUnknownError, StorageUnavailableError } from '../../lib/errors.js'
import type { Subject } from '../../lib/conformance/index.js'
import type { Expectation, ReadOptions, StorageAdapter, Stored, WriteOptions } from '../../lib/storage/adapter.js'
import { assertNoContext } from '../../lib/storage/kit/context.js'
import { satisfies } from '../../lib/storage/kit/expectation.js'
import { copyJson } from '../../lib/storage/kit/json.js'
import { checkKey, compareKeys } from '../../lib/storage/kit/key.js'
import { pageLimit } from '../../lib/storage/kit/page.js'
import { needsNoValue, withoutValue } from '../../lib/storage/kit/unless.js'
import { newVersion } from '../../lib/storage/kit/version.js'

/** Where rows are kept, by their keys. */
export interface Rows {
  get (key: string): Stored | undefined
  has (key: string): boolean
  set (key: string, row: Stored): unknown
  delete (key: string): unknown
  keys (): Iterable<string>
  values (): Iterable<Stored>
}

type Change = 'write' | 'remove'
export type Operation = 'read' | Change | 'list'

/** What all adapters of one subject share: the rows, and whether there is an outage. */
export interface Engine {
  rows: Rows
  isCut: boolean
  /** How many outages began so far. */
  outages: number
  /** Called when the outage ends. */
  onMend: Array<() => unknown>
}

/** The decisions of an adapter. A mutant replaces a few of them, most mutants one. */
export interface Parts {
  checkKey (key: unknown): void
  /** The key that the row of an entity is stored under. */
  rowKey (key: string): string
  /** Makes the stored value from the value of a caller. */
  copyIn (value: unknown): unknown
  /** Makes the entity that a caller gets from the row. */
  copyOut (row: Stored, operation: Operation): Stored
  satisfies (expectation: Expectation, version: string | undefined, change: Change): boolean
  /** Compares and acts on what it read. A sound adapter does so in one step. */
  decide<R> (readCurrent: () => Stored | undefined, act: (current: Stored | undefined) => R): R | Promise<R>
  version (current: Stored | undefined, value: unknown, expectation: Expectation): string
  provenance (current: Stored | undefined, options: WriteOptions | undefined): Pick<Stored, 'replaced' | 'digest'>
  /** Whether the caller of a read needs no value of this version. */
  needsNoValue (options: ReadOptions | undefined, version: string): boolean
  readRow (rows: Rows, key: string): Stored | undefined
  writeRow (rows: Rows, key: string, row: Stored): void
  removeRow (rows: Rows, key: string): void
  onRefusal (rows: Rows, key: string): void
  isListed (key: string, prefix: string): boolean
  isAfter (key: string, after: string): boolean
  compareKeys (a: string, b: string): number
  pageLimit (limit: number | undefined): number
  /** The `next` of a page, from all keys that are left to list. */
  next (keys: readonly string[], limit: number): string | undefined
  checkContext (options: ReadOptions | undefined): void
  checkSignal (signal: AbortSignal | undefined): void
  /** Throws during an outage. */
  reachEngine (engine: Engine): void
  /** The error for an answer that was lost in an outage. */
  lostAnswer (operation: Operation): Error
  /** The adapter as its callers see it. */
  wrap (adapter: StorageAdapter, engine: Engine, parts: Parts): StorageAdapter
}

const sound: Parts = {
  checkKey,
  rowKey: (key) => key,
  copyIn: copyJson,
  copyOut: copyRow,
  satisfies,
  decide: (readCurrent, act) => act(readCurrent()),
  version: newVersion,
  provenance: (current, options) => ({ replaced: current?.version, digest: options?.digest }),
  needsNoValue,
  readRow: (rows, key) => rows.get(key),
  writeRow: (rows, key, row) => rows.set(key, row),
  removeRow: (rows, key) => rows.delete(key),
  onRefusal: () => {},
  isListed: (key, prefix) => key.startsWith(prefix),
  isAfter: (key, after) => compareKeys(key, after) > 0,
  compareKeys,
  pageLimit,
  next: (keys, limit) => (keys.length > limit ? keys[limit - 1] : undefined),
  checkContext: (options) => assertNoContext('engineAdapter', options),
  checkSignal: (signal) => signal?.throwIfAborted(),
  reachEngine (engine) {
    if (engine.isCut) throw new StorageUnavailableError()
  },
  lostAnswer: (operation) =>
    operation === 'write' || operation === 'remove' ? new OutcomeUnknownError() : new StorageUnavailableError(),
  wrap: (adapter) => adapter
}

/** A copy of a row that shares nothing with it. */
export function copyRow (row: Stored): Stored {
  return { ...row, value: copyJson(row.value) }
}

/**
 * A store in this process, and adapters on it, which are sound but for the parts that `flaw` gives. `flaw` is called
 * once for each adapter, so its parts may keep state as one process would.
 */
export function engineSubject (flaw: () => Partial<Parts> = () => ({})): Subject & { engine: Engine } {
  const engine = { rows: new Map<string, Stored>(), isCut: false, outages: 0, onMend: [] as Engine['onMend'] }
  const adapter = () => {
    const parts: Parts = { ...sound, ...flaw() }
    return parts.wrap(engineAdapter(engine, parts), engine, parts)
  }
  return {
    engine,
    adapter: adapter(),
    another: async () => adapter(),
    async cut () {
      engine.isCut = true
      engine.outages++
      return async () => {
        engine.isCut = false
        for (const step of engine.onMend) step()
      }
    }
  }
}

/** An adapter on the rows of an engine. */
export function engineAdapter (engine: Engine, parts: Parts): StorageAdapter {
  // The answer takes a turn of the event loop, and is lost if an outage starts meanwhile.
  async function send<R> (
    operation: Operation,
    options: ReadOptions | undefined,
    step: () => R | Promise<R>
  ): Promise<R> {
    parts.checkContext(options)
    parts.checkSignal(options?.signal)
    parts.reachEngine(engine)
    const result = await step()
    await turn()
    if (engine.isCut) throw parts.lostAnswer(operation)
    return result
  }

  function change<A> (
    operation: Change,
    key: string,
    expectation: Expectation,
    apply: (current: Stored | undefined) => A
  ) {
    return parts.decide(
      () => engine.rows.get(key),
      (current) => {
        if (parts.satisfies(expectation, current?.version, operation)) return apply(current)
        parts.onRefusal(engine.rows, key)
        return { applied: false as const, current: current && parts.copyOut(current, operation) }
      }
    )
  }

  return {
    async read (key, options) {
      parts.checkKey(key)
      return await send('read', options, () => {
        const row = parts.readRow(engine.rows, parts.rowKey(key))
        if (row === undefined) return undefined
        const stored = parts.copyOut(row, 'read')
        if (!parts.needsNoValue(options, row.version)) return stored
        const { value, ...facts } = stored
        return withoutValue<unknown>(facts)
      })
    },

    async write (key, value, expectation, options) {
      parts.checkKey(key)
      const copy = parts.copyIn(value)
      const rowKey = parts.rowKey(key)
      return await send('write', options, () => change('write', rowKey, expectation, (current) => {
        const version = parts.version(current, copy, expectation)
        parts.writeRow(engine.rows, rowKey, { value: copy, version, ...parts.provenance(current, options) })
        return { applied: true as const, version, created: current === undefined }
      }))
    },

    async remove (key, expectation, options) {
      parts.checkKey(key)
      const rowKey = parts.rowKey(key)
      return await send('remove', options, () => change('remove', rowKey, expectation, () => {
        parts.removeRow(engine.rows, rowKey)
        return { applied: true as const }
      }))
    },

    async list (prefix, options = {}) {
      const { after, limit } = options
      const most = parts.pageLimit(limit)
      return await send('list', options, () => {
        const keys = [...engine.rows.keys()].sort(parts.compareKeys)
          .filter((key) => parts.isListed(key, prefix) && (after === undefined || parts.isAfter(key, after)))
        const items = keys.slice(0, most).map((key) => ({ key, ...parts.copyOut(engine.rows.get(key)!, 'list') }))
        return { items, next: parts.next(keys, most) }
      })
    }
  }
}
