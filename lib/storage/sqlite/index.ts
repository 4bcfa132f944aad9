import {
  ConstraintError,
  InvalidAdapterError,
  InvalidValueError,
  isIfMatchError,
  OutcomeUnknownError,
  StorageUnavailableError
} from '../../errors.js'
import type { ListingAdapter, ReadOptions, RemoveResult, Stored, WriteResult } from '../adapter.js'
import { Batcher } from '../kit/batcher.js'
import { assertNoContext } from '../kit/context.js'
import { jsonText } from '../kit/json.js'
import { checkKey, compareKeys, endOfPrefix } from '../kit/key.js'
import { pageLimit, pageOf } from '../kit/page.js'
import { throwIfStopped } from '../kit/stop.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'
import { explain, faultKind } from './faults.js'
import { prepareFile, rollBack } from './file.js'
import { whenFree } from './lock.js'
import { settingsOf, type SqliteAdapterOptions } from './options.js'
import { SqliteTable } from './table.js'

export type { SqliteChanges, SqliteDatabase, SqliteStatement, SqliteValue } from './client.js'
export type { SqliteAdapterOptions } from './options.js'

/** How many operations share a transaction at most. It bounds how long a batch holds the event loop. */
const BATCH_SIZE = 256

// A deferred transaction cannot become a write once another process wrote (engine-facts#sqlite-begin-immediate).
type Begin = 'BEGIN' | 'BEGIN IMMEDIATE'

/** An operation that waits for its transaction. `arrived` is a time of `performance.now()`. */
interface Step<T, R> {
  readonly options: ReadOptions | undefined
  readonly arrived: number
  readonly carryOut: (table: SqliteTable<T>) => R
}

type Change<T> = WriteResult<T> | RemoveResult<T>
type Look<T> = Stored<T> | undefined | Array<Stored<T> & { key: string }>

/**
 * Keeps entities in an SQLite file, for any number of processes on one machine. Writes that arrive together share one
 * transaction and one fsync, and none is answered before its commit. Reads that arrive together share one snapshot.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options; `open` rejects with FST_IF_MATCH_INVALID_ADAPTER for a file
 *   that the adapter cannot use
 * @example
 * import Database from 'better-sqlite3'
 *
 * const database = new Database('data/offers.db')
 * await app.register(ifMatch, { storage: sqliteAdapter({ database }) })
 * // after app.close(), or in an onClose hook that was added before the plugin: database.close()
 */
export function sqliteAdapter<T = unknown> (options: SqliteAdapterOptions): ListingAdapter<T> {
  const { database, table: name, synchronous, lockTimeout } = settingsOf(options)
  const reads = new Batcher<Step<T, Look<T>>, Look<T>>({
    size: BATCH_SIZE,
    run: (steps) => runTogether('BEGIN', steps)
  })
  const writes = new Batcher<Step<T, Change<T>>, Change<T>>({
    size: BATCH_SIZE,
    // Most reads are early comparisons. The writes that follow them can share the fsync
    // (engine-facts#sqlite-reads-first).
    givesWay: () => reads.isWaiting,
    run: (steps) => runTogether('BEGIN IMMEDIATE', steps)
  })
  let table: SqliteTable<T> | undefined

  function openTable (): SqliteTable<T> {
    if (table !== undefined) return table
    throw new Error('the adapter is in use before open() or after close(). The plugin calls both.')
  }

  async function runTogether<R> (
    begin: Begin,
    steps: ReadonlyArray<Step<T, R>>
  ): Promise<Array<PromiseSettledResult<R>>> {
    return await whenFree(() => transact(begin, steps), steps[0]!.arrived + lockTimeout)
  }

  // Synchronous from BEGIN to COMMIT, so nothing else on this handle runs in between.
  function transact<R> (begin: Begin, steps: ReadonlyArray<Step<T, R>>): Array<PromiseSettledResult<R>> {
    let phase: 'begin' | 'steps' | 'commit' = 'begin'
    try {
      const table = openTable()
      database.exec(begin)
      phase = 'steps'
      const results = steps.map((step) => attempt(table, step, begin))
      phase = 'commit'
      database.exec('COMMIT')
      return results
    } catch (error) {
      // If the BEGIN failed, an open transaction belongs to the app (engine-facts#sqlite-nested-begin).
      if (phase !== 'begin') rollBack(database)
      const fault = faultKind(error)
      if (fault === 'BUSY') throw error
      // A BEGIN is no statement of ours that could be wrong: the app has left a transaction open.
      if (fault === 'MISTAKE' && phase === 'steps') throw storageFault(FAULT.refused, explain(error))
      // Before the COMMIT nothing is applied, and a full disk takes everything back
      // (engine-facts#sqlite-full-rolls-back).
      const isUnknown = begin === 'BEGIN IMMEDIATE' && phase === 'commit' && fault !== 'FULL'
      const TransactionError = isUnknown ? OutcomeUnknownError : StorageUnavailableError
      throw new TransactionError({ cause: causeOf(error) })
    }
  }

  // A fault of one item fails alone: SQLite takes back its statement, and the transaction goes on.
  function attempt<R> (table: SqliteTable<T>, step: Step<T, R>, begin: Begin): PromiseSettledResult<R> {
    try {
      throwIfStopped(step.options)
    } catch (reason) {
      return { status: 'rejected', reason }
    }
    try {
      return { status: 'fulfilled', value: step.carryOut(table) }
    } catch (error) {
      const reason = itemError(error, begin)
      if (reason === undefined) throw error
      return { status: 'rejected', reason }
    }
  }

  function add<R, S extends R> (
    batcher: Batcher<Step<T, R>, R>,
    options: ReadOptions | undefined,
    carryOut: (table: SqliteTable<T>) => S
  ): Promise<S> {
    assertNoContext('sqliteAdapter', options)
    throwIfStopped(options)
    return batcher.add({ options, arrived: performance.now(), carryOut }) as Promise<S>
  }

  return {
    async open () {
      try {
        table = await whenFree(() => {
          prepareFile(database, name, synchronous)
          return new SqliteTable<T>(database, name)
        }, performance.now() + lockTimeout)
      } catch (error) {
        if (isIfMatchError(error)) throw error
        throw new InvalidAdapterError(`cannot use this SQLite file. ${causeOf(error).message}`, { cause: error })
      }
    },

    async close () {
      await Promise.all([writes.idle(), reads.idle()])
      table = undefined
    },

    async read (key, options) {
      checkKey(key)
      return await add(reads, options, (table) => table.read(key, options))
    },

    async write (key, value, expectation, options) {
      checkKey(key)
      const json = jsonText(value)
      return await add(writes, options, (table) => table.write(key, json, expectation, options?.digest))
    },

    async remove (key, expectation, options) {
      checkKey(key)
      return await add(writes, options, (table) => table.remove(key, expectation))
    },

    async list (prefix, options = {}) {
      const limit = pageLimit(options.limit)
      const { after } = options
      // No key has U+0000, so the first text behind `after` is `after` with U+0000.
      const from = after === undefined || compareKeys(after, prefix) < 0 ? prefix : `${after}\0`
      const found = await add(reads, options, (table) => table.list(from, endOfPrefix(prefix), limit + 1))
      return pageOf(found, limit)
    }
  }
}

// What SQLite says of BEGIN, and at boot of a pragma (engine-facts#sqlite-nested-begin).
const NESTED = /(within|inside) a transaction$/

function causeOf (error: unknown): Error {
  if (!NESTED.test((error as Error).message)) return explain(error)
  return new Error(
    'SQLite: a transaction of the app is open on this handle. End it, or give the adapter a handle of its own.',
    { cause: error }
  )
}

// The error of the one item that it is about; undefined if the whole transaction failed. A read leaves nothing that
// another item could see, so its failure is always its own.
function itemError (error: unknown, begin: Begin): Error | undefined {
  if (isIfMatchError(error)) return error
  const fault = faultKind(error)
  const cause = explain(error)
  if (begin === 'BEGIN') {
    if (fault === 'BUSY') return undefined
    return fault === 'MISTAKE' ? storageFault(FAULT.refused, cause) : new StorageUnavailableError({ cause })
  }
  if (fault === 'CONFLICT') return new ConstraintError({ cause })
  if (fault !== 'TOOBIG' && fault !== 'CONSTRAINT') return undefined
  return new InvalidValueError(cause.message.replace(/\.$/, ''), { cause })
}
