import { InvalidAdapterError, isIfMatchError } from '../../errors.js'
import type { ListingAdapter, ReadOptions } from '../adapter.js'
import type { EntityTable } from '../kit/entity-table.js'
import { jsonText } from '../kit/json.js'
import { checkKey } from '../kit/key.js'
import { pageLimit, pageOf } from '../kit/page.js'
import { UnderWay } from '../kit/under-way.js'
import { newVersion } from '../kit/version.js'
import { writeThenRead } from '../kit/write-then-read.js'
import { BatchedTable } from './batch.js'
import { explainBoot } from './faults.js'
import { settingsOf, type PostgresAdapterOptions } from './options.js'
import { checkTable, makeTable } from './schema.js'
import { PostgresSession } from './session.js'
import { quotedTable } from './sql.js'
import { TransactionTables } from './transaction.js'

export type { PostgresClient } from './client.js'
export type { PostgresAdapterOptions } from './options.js'
export { createTableSql, type ColumnNames, type PostgresTableOptions } from './sql.js'

/** The adapter of PostgreSQL. */
export interface PostgresAdapter<T = unknown> extends ListingAdapter<T> {
  /**
   * Creates the table if it is missing. Call it before the app is ready, or in a migration.
   *
   * @throws FST_IF_MATCH_INVALID_ADAPTER if the server cannot be reached, or the user may not create the table
   */
  createTable (): Promise<void>
}

/**
 * Keeps entities in a table of PostgreSQL, for any number of processes. A write compares and acts in one statement: a
 * write that applies is one round trip, a refusal is two. With `context: { client }` the write is part of the
 * transaction that `client` is in.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options; `open` rejects with FST_IF_MATCH_INVALID_ADAPTER for a server
 * that it cannot reach and a table that it cannot use
 * @example
 * import pg from 'pg'
 *
 * const connectionString = process.env.DATABASE_URL
 * const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 2000, keepAlive: true })
 * pool.on('error', (error) => app.log.error(error))
 * await app.register(ifMatch, { storage: postgresAdapter({ client: pool }) })
 * // after app.close(), or in an onClose hook that was added before the plugin: await pool.end()
 */
export function postgresAdapter<T = unknown> (options: PostgresAdapterOptions): PostgresAdapter<T> {
  const { client, timeout, lockTimeout, prepared } = settingsOf(options)
  const table = quotedTable(options)
  const session = new PostgresSession(client, { timeout, prepared })
  const batched = new BatchedTable<T>(session, table, { timeout, lockTimeout })
  const inTransactions = new TransactionTables<T>(table, timeout)
  const underWay = new UnderWay()

  function tableOf (options: ReadOptions | undefined): EntityTable<T> {
    return options?.context === undefined ? batched : inTransactions.tableOf(options.context)
  }

  async function atBoot (step: Promise<void>): Promise<void> {
    try {
      await step
    } catch (error) {
      if (isIfMatchError(error)) throw error
      const cause = explainBoot(error)
      throw new InvalidAdapterError(`cannot use this PostgreSQL database. ${cause.message}`, { cause })
    }
  }

  return {
    async createTable () {
      await atBoot(makeTable(session, options))
    },

    async open () {
      await atBoot(checkTable(session, options))
    },

    async close () {
      await underWay.idle()
    },

    read: (key, options) => underWay.run(() => {
      checkKey(key)
      return tableOf(options).read(key, options)
    }),

    async write (key, value, expectation, options) {
      checkKey(key)
      const write = { key, version: newVersion(), json: jsonText(value), expectation, options }
      const table = tableOf(options)
      return await underWay.run(
        () => writeThenRead(expectation, (attempt) => table.write(write, attempt), () => table.read(key))
      )
    },

    async remove (key, expectation, options) {
      checkKey(key)
      const table = tableOf(options)
      return await underWay.run(
        () => writeThenRead(expectation, () => table.remove(key, expectation, options), () => table.read(key))
      )
    },

    async list (prefix, options = {}) {
      const limit = pageLimit(options.limit)
      // Neither a key nor a text of PostgreSQL has U+0000 (engine-facts#postgres-no-nul-in-text). The keys behind a
      // text with U+0000 are those behind the part in front of it.
      if (prefix.includes('\0')) return { items: [], next: undefined }
      const [after = ''] = options.after?.split('\0', 1) ?? []
      return pageOf(await underWay.run(() => tableOf(options).list(prefix, after, limit + 1, options)), limit)
    }
  }
}
