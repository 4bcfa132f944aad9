import {
  InvalidAdapterError,
  InvalidOptionsError,
  isIfMatchError,
  OutcomeUnknownError,
  StorageUnavailableError
} from '../../errors.js'
import type { ListingAdapter, ReadOptions, Stored } from '../adapter.js'
import { jsonText } from '../kit/json.js'
import { checkKey } from '../kit/key.js'
import { KeyTurns } from '../kit/key-turns.js'
import { provenApplied } from '../kit/lost-answer.js'
import { pageLimit } from '../kit/page.js'
import { batcherOf, batchStatement, LONGEST_VALUE, readTogether, writeTogether } from './batch.js'
import { checkTable } from './schema.js'
import { isClient, isOutsideTransaction, isPgPool, type PostgresClient } from './client.js'
import { explain, explainBoot } from './faults.js'
import { makeTable } from './make.js'
import { PostgresSession } from './session.js'
import { COLUMNS, quotedTable, statementsOn, type PostgresTableOptions } from './sql.js'
import { PostgresTable, type Applied, type Read, type Write } from './table.js'
import { throwIfStopped } from '../kit/stop.js'
import { newVersion } from '../kit/version.js'
import { writeThenRead } from '../kit/write-then-read.js'

export type { PostgresClient } from './client.js'
export { createTableSql, type ColumnNames, type PostgresTableOptions } from './sql.js'

/** Options of `postgresAdapter`. */
export interface PostgresAdapterOptions extends PostgresTableOptions {
  /**
   * A `Pool` of pg, or any other client with `query(text, values)`. It must be in no transaction of yours: for that
   * there is `context`. Closing it, after the app, is up to the caller.
   */
  client: PostgresClient
  /**
   * How long an answer is waited for, in milliseconds (default 5,000). A write whose answer does not come is looked for
   * once more, for as long; unless it is found, its outcome is unknown.
   */
  timeout?: number | undefined
  /**
   * How long a write waits for a row that another transaction has locked, in milliseconds (default 2,000; less than
   * `timeout`). The server keeps this bound. 0: it has none, beyond the `lock_timeout` of the connection.
   */
  lockTimeout?: number | undefined
  /**
   * Whether statements are prepared, in the form that pg has for it (default: where the client is a Pool or Client of
   * pg). Where they turn out not to work, as behind older poolers, they are sent unprepared from then on.
   */
  prepared?: boolean | undefined
}

/** The adapter of PostgreSQL. */
export interface PostgresAdapter<T = unknown> extends ListingAdapter<T> {
  /**
   * Makes the table, unless it is there; before the app is ready, or in a migration.
   *
   * @throws FST_IF_MATCH_INVALID_ADAPTER if the server cannot be reached, or does not let the user
   */
  createTable (): Promise<void>
}

/**
 * Keeps entities in a table of PostgreSQL, for any number of processes. A write compares and acts in one statement; one
 * that applies is one round trip, a refusal two. With `context: { client }` it is part of the transaction that `client`
 * is in.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options; `open` rejects with FST_IF_MATCH_INVALID_ADAPTER for a server
 * that it cannot reach and a table that it cannot use
 * @example
 * import pg from 'pg'
 *
 * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 2000, keepAlive: true })
 * pool.on('error', (error) => app.log.error(error))
 * await app.register(ifMatch, { storage: postgresAdapter({ client: pool }) })
 * // and when the app is closed: await pool.end()
 */
export function postgresAdapter<T = unknown> (options: PostgresAdapterOptions): PostgresAdapter<T> {
  const { client, timeout, lockTimeout, prepared } = checked(options)
  const table = quotedTable(options)
  const session = new PostgresSession(client, { timeout, prepared })
  const statements = statementsOn(table, lockTimeout)
  const own = new PostgresTable<T>(session, statements, false)
  const statementsInTransaction = statementsOn(table, 0)
  // Kept, so that statements over one connection go one after the other, whoever sends them.
  const borrowedTables = new WeakMap<PostgresClient, PostgresTable<T>>()
  const underWay = new Set<Promise<unknown>>()

  async function noted<R> (operation: Promise<R>): Promise<R> {
    underWay.add(operation)
    try {
      return await operation
    } finally {
      underWay.delete(operation)
    }
  }

  /** The table as whoever asks sees it. */
  function tableOf (options: ReadOptions | undefined): PostgresTable<T> {
    const context = options?.context
    if (context === undefined) return own
    const borrowed = (context as { client?: unknown } | null)?.client
    // Written outside of the transaction that was meant, it would stay when that is rolled back.
    if (!isClient(borrowed)) {
      throw new InvalidOptionsError(
        'the entity',
        '"context" must be { client }, with a client that is in a transaction.'
      )
    }
    if (isPgPool(borrowed)) {
      throw new InvalidOptionsError(
        'the entity',
        'the client of "context" is a pool, whose statements share no transaction. Take a client out of it with connect().'
      )
    }
    if (isOutsideTransaction(borrowed)) {
      throw new InvalidOptionsError(
        'the entity',
        'the client of "context" is in no transaction, so what it writes could not be rolled back. Send BEGIN first, and await it.'
      )
    }
    let table = borrowedTables.get(borrowed)
    if (table === undefined) {
      // Never named: a statement that is not found would end the transaction (E27).
      table = new PostgresTable<T>(
        new PostgresSession(borrowed, { timeout, prepared: false }),
        statementsInTransaction,
        true
      )
      borrowedTables.set(borrowed, table)
    }
    return table
  }

  const turns = new KeyTurns()
  const batch = batchStatement(table, lockTimeout)
  const writes = batcherOf<Write, Applied>(
    (items) => writeTogether(session, batch, items, turns, writeAlone, (item, error) => prove(item, explain(error))),
    ({ key }) => key
  )
  const reads = batcherOf<Read, Stored<T> | undefined>((items) =>
    readTogether(session, statements.readMany, items, ({ key, options }) => own.read(key, options))
  )

  async function inTurn<R> (key: string, change: () => Promise<R>): Promise<R> {
    return await turns.take(
      key,
      timeout,
      change,
      () =>
        new StorageUnavailableError({
          cause: new Error(
            'PostgreSQL: earlier changes of the key took too long. Look for a transaction that somebody left open.'
          )
        })
    )
  }

  async function writeAlone (item: Write): Promise<Applied> {
    return await inTurn(item.key, async () => {
      try {
        return await own.write(item)
      } catch (error) {
        if (error instanceof OutcomeUnknownError) return await prove(item, error.cause)
        throw error
      }
    })
  }

  async function prove ({ key, version, expectation }: Write, cause: unknown): Promise<Applied> {
    return await provenApplied(version, expectation, () => read(own, key), cause)
  }

  async function read (table: PostgresTable<T>, key: string, options?: ReadOptions): Promise<Stored<T> | undefined> {
    throwIfStopped(options)
    return table === own ? await (await reads.add({ key, options }))() : await table.read(key, options)
  }

  /** Tries a write: together with others first, since most writes have no rival, and alone from then on. */
  function attemptsOf (table: PostgresTable<T>, item: Write): () => Promise<Applied> {
    // In a transaction nothing is proven: its end tells.
    if (table !== own) return () => table.write(item)
    let isFirst = item.json.length <= LONGEST_VALUE
    return async () => {
      if (!isFirst) return await writeAlone(item)
      isFirst = false
      throwIfStopped(item.options)
      return await (await writes.add(item))()
    }
  }

  async function refusing<R> (step: () => Promise<R>): Promise<R> {
    try {
      return await step()
    } catch (error) {
      throw isIfMatchError(error)
        ? error
        : new InvalidAdapterError(`cannot use this PostgreSQL database. ${explainBoot(error).message}`, {
          cause: explainBoot(error)
        })
    }
  }

  return {
    async createTable () {
      await refusing(() => makeTable(session, options))
    },

    async open () {
      await refusing(() => checkTable(session, options))
    },

    async close () {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },

    async read (key, options) {
      checkKey(key)
      return await noted(read(tableOf(options), key, options))
    },

    async write (key, value, expectation, options) {
      checkKey(key)
      const item = { key, version: newVersion(), json: jsonText(value), expectation, options }
      const table = tableOf(options)
      return await noted(writeThenRead(expectation, attemptsOf(table, item), () => read(table, key)))
    },

    async remove (key, expectation, options) {
      checkKey(key)
      const table = tableOf(options)
      const remove = async () => await table.remove(key, expectation, options)
      return await noted(
        writeThenRead(
          expectation,
          () => (table === own ? inTurn(key, remove) : remove()),
          () => read(table, key)
        )
      )
    },

    async list (prefix, options = {}) {
      const limit = pageLimit(options.limit)
      // No text of PostgreSQL has U+0000, and no key. What follows a key with it follows what is ahead of it.
      if (prefix.includes('\0')) return { items: [], next: undefined }
      const [after = ''] = options.after?.split('\0', 1) ?? []
      const found = await noted(tableOf(options).list(prefix, after, limit + 1, options))
      const items = found.slice(0, limit)
      return { items, next: found.length > limit ? items.at(-1)?.key : undefined }
    }
  }
}

function checked (options: PostgresAdapterOptions) {
  const { client, timeout = 5000, lockTimeout = 2000, prepared } = options
  const flaw = !isClient(client)
    ? '"client" must be a Pool of pg, or another client with query(text, values).'
    : flawOfNames(options) ?? flawOfBounds(timeout, lockTimeout) ?? flawOfPrepared(prepared)
  if (flaw !== undefined) throw new InvalidOptionsError('postgresAdapter', flaw)
  return { client, timeout, lockTimeout, prepared }
}

function flawOfNames ({ schema, table, columns = {} }: PostgresTableOptions): string | undefined {
  const others = Object.keys(columns).filter((column) => !(COLUMNS as readonly string[]).includes(column))
  if (others.length > 0) return `"columns" names ${others.join(', ')}, which an entity does not have.`
  const names = COLUMNS.map((column) => columns[column] ?? column)
  if (new Set(names).size < names.length) return '"columns" gives two of them one name.'
  for (const [option, name] of Object.entries({ schema, table, ...columns })) {
    // PostgreSQL would cut a longer one off, and two might become one.
    if (
      name !== undefined &&
      (typeof name !== 'string' || name === '' || name.includes('\0') || Buffer.byteLength(name) > 63)
    ) { return `"${option}" must be a name of 1 to 63 bytes.` }
  }
  return undefined
}

function flawOfBounds (timeout: number, lockTimeout: number): string | undefined {
  // The longest delay of a timer.
  if (!Number.isInteger(timeout) || timeout < 1 || timeout > 2 ** 31 - 1) { return '"timeout" must be a whole number of milliseconds, 1 or more.' }
  // A client that stops waiting first has to call the outcome unknown.
  if (!Number.isInteger(lockTimeout) || lockTimeout < 0 || lockTimeout >= timeout) { return '"lockTimeout" must be a whole number of milliseconds, 0 or more and less than "timeout".' }
  return undefined
}

function flawOfPrepared (prepared: unknown): string | undefined {
  return prepared === undefined || typeof prepared === 'boolean' ? undefined : '"prepared" must be true or false.'
}
