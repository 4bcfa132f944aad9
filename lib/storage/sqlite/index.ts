import {
  InvalidAdapterError,
  InvalidOptionsError,
  InvalidValueError,
  isIfMatchError,
  OutcomeUnknownError,
  StorageUnavailableError
} from '../../errors.js'
import type { ListingAdapter, ReadOptions, RemoveResult, Stored, WriteResult } from '../adapter.js'
import { Batcher } from '../kit/batcher.js'
import { jsonText } from '../kit/json.js'
import { checkKey, compareKeys, endOfPrefix } from '../kit/key.js'
import { pageLimit } from '../kit/page.js'
import type { SqliteDatabase } from './client.js'
import { explain, faultOf } from './faults.js'
import { prepareFile, rollBack, type Synchronous } from './file.js'
import { whenFree } from './lock.js'
import { SqliteTable } from './table.js'
import { throwIfStopped } from '../kit/stop.js'

export type { SqliteChanges, SqliteDatabase, SqliteStatement, SqliteValue } from './client.js'

/** How many operations share a transaction at most. It bounds how long a batch holds the event loop. */
const BATCH_SIZE = 256

/** Options of `sqliteAdapter`. */
export interface SqliteAdapterOptions {
  /**
   * The handle: a `Database` of better-sqlite3 or a `DatabaseSync` of `node:sqlite`. The adapter sets its pragmas and
   * must be the only one that opens transactions on it; closing it, after the app, is up to the caller.
   */
  database: SqliteDatabase
  /** The table, created where it is missing (default `'entities'`). */
  table?: string
  /**
   * `'FULL'` (default): an acknowledged write survives a power cut. `'NORMAL'`: the last commits before a power cut may
   * be lost, and the file stays sound; a killed process loses nothing either way.
   */
  synchronous?: Synchronous
  /** How long a lock that another process holds is waited for, in milliseconds (default 5,000). */
  lockTimeout?: number
}

// A deferred transaction could not be upgraded to a write once another process wrote (E15).
type Begin = 'BEGIN' | 'BEGIN IMMEDIATE'

/** An operation on its way. */
interface Step<T, R> {
  readonly options: ReadOptions | undefined
  readonly arrived: number
  readonly carryOut: (table: SqliteTable<T>) => R
}

type Change<T> = WriteResult<T> | RemoveResult<T>
type Look<T> = Stored<T> | undefined | Array<Stored<T> & { key: string }>

/**
 * Keeps entities in an SQLite file, for any number of processes on one machine. Writes that arrive together share one
 * transaction and one fsync, and none is answered before its commit; reads that arrive together share one snapshot.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options; `open` rejects with FST_IF_MATCH_INVALID_ADAPTER for a file that
 * it cannot use
 * @example
 * import Database from 'better-sqlite3'
 *
 * const database = new Database('data/offers.db')
 * await app.register(ifMatch, { storage: sqliteAdapter({ database }) })
 * // and when the app is closed: database.close()
 */
export function sqliteAdapter<T = unknown> (options: SqliteAdapterOptions): ListingAdapter<T> {
  const { database, table: name, synchronous, lockTimeout } = checked(options)
  const writes = new Batcher<Step<T, Change<T>>, Change<T>>({
    size: BATCH_SIZE,
    run: (steps) => together('BEGIN IMMEDIATE', steps)
  })
  const reads = new Batcher<Step<T, Look<T>>, Look<T>>({ size: BATCH_SIZE, run: (steps) => together('BEGIN', steps) })
  let table: SqliteTable<T> | undefined

  function opened (): SqliteTable<T> {
    if (table === undefined) { throw new Error('the adapter is in use before open() or after close(). The plugin calls both.') }
    return table
  }

  async function together<R> (begin: Begin, steps: ReadonlyArray<Step<T, R>>): Promise<Array<PromiseSettledResult<R>>> {
    return await whenFree(() => transact(begin, steps), steps[0]!.arrived + lockTimeout)
  }

  // Synchronous from BEGIN to COMMIT, so nothing else on this handle sees the middle of it.
  function transact<R> (begin: Begin, steps: ReadonlyArray<Step<T, R>>): Array<PromiseSettledResult<R>> {
    let at: 'begin' | 'steps' | 'commit' = 'begin'
    try {
      const table = opened()
      database.exec(begin)
      at = 'steps'
      const results = steps.map((step) => attempt(table, step, begin))
      at = 'commit'
      database.exec('COMMIT')
      return results
    } catch (error) {
      // One that did not begin is somebody else's.
      if (at !== 'begin') rollBack(database)
      const fault = faultOf(error)
      if (fault === 'BUSY') throw error
      // Before the COMMIT nothing can have been applied; one that failed for want of room is none (E16).
      const Fault =
        begin === 'BEGIN IMMEDIATE' && at === 'commit' && fault !== 'FULL'
          ? OutcomeUnknownError
          : StorageUnavailableError
      throw new Fault({ cause: explain(error) })
    }
  }

  // What concerns one item alone fails alone: SQLite undoes the statement, and the transaction goes on.
  function attempt<R> (table: SqliteTable<T>, { options, carryOut }: Step<T, R>, begin: Begin): PromiseSettledResult<R> {
    try {
      throwIfStopped(options)
    } catch (reason) {
      return { status: 'rejected', reason }
    }
    try {
      return { status: 'fulfilled', value: carryOut(table) }
    } catch (error) {
      const reason = faultOfItem(error, begin)
      if (reason === undefined) throw error
      return { status: 'rejected', reason }
    }
  }

  function add<R, S extends R> (
    batcher: Batcher<Step<T, R>, R>,
    options: ReadOptions | undefined,
    carryOut: (table: SqliteTable<T>) => S
  ): Promise<S> {
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
        throw isIfMatchError(error)
          ? error
          : new InvalidAdapterError(`cannot use this SQLite file. ${explain(error).message}`, { cause: error })
      }
    },

    async close () {
      await Promise.all([writes.idle(), reads.idle()])
      table = undefined
    },

    async read (key, options) {
      checkKey(key)
      return await add(reads, options, (table) => table.read(key))
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
      // U+0000 is in no key, so what follows `after` begins with it plus that.
      const from = after === undefined || compareKeys(after, prefix) < 0 ? prefix : `${after}\0`
      const found = await add(reads, options, (table) => table.list(from, endOfPrefix(prefix), limit + 1))
      const items = found.slice(0, limit)
      return { items, next: found.length > limit ? items.at(-1)?.key : undefined }
    }
  }
}

// The error of the one item that it is about; undefined if it is about more than that. A read that fails leaves nothing
// that another one could see.
function faultOfItem (error: unknown, begin: Begin): Error | undefined {
  if (isIfMatchError(error)) return error
  const fault = faultOf(error)
  if (begin === 'BEGIN') return fault === 'BUSY' ? undefined : new StorageUnavailableError({ cause: explain(error) })
  return fault === 'TOOBIG' || fault === 'CONSTRAINT'
    ? new InvalidValueError(explain(error).message.replace(/\.$/, ''))
    : undefined
}

function checked ({
  database,
  table = 'entities',
  synchronous = 'FULL',
  lockTimeout = 5000
}: SqliteAdapterOptions): Required<SqliteAdapterOptions> {
  const flaw =
    typeof database?.prepare !== 'function' || typeof database.exec !== 'function'
      ? '"database" must be a handle of better-sqlite3 or node:sqlite.'
      : typeof table !== 'string' || table === '' || table.includes('\0')
        ? '"table" must be the name of a table.'
        : synchronous !== 'FULL' && synchronous !== 'NORMAL'
          ? '"synchronous" must be "FULL" or "NORMAL".'
          : !Number.isFinite(lockTimeout) || lockTimeout < 0
              ? '"lockTimeout" must be a number of milliseconds, 0 or more.'
              : undefined
  if (flaw !== undefined) throw new InvalidOptionsError('sqliteAdapter', flaw)
  return { database, table, synchronous, lockTimeout }
}
