import { InvalidAdapterError, isIfMatchError } from '../../errors.js'
import type { ListingAdapter, ReadOptions } from '../adapter.js'
import { jsonText } from '../kit/json.js'
import { checkKey } from '../kit/key.js'
import { pageLimit, pageOf } from '../kit/page.js'
import { UnderWay } from '../kit/under-way.js'
import { newVersion } from '../kit/version.js'
import { writeThenRead } from '../kit/write-then-read.js'
import { sourceOf } from './client.js'
import { explainBoot } from './faults.js'
import { settingsOf, type MysqlAdapterOptions } from './options.js'
import { checkTable, makeTable } from './schema.js'
import { MysqlSession } from './session.js'
import { MysqlTable } from './table.js'
import { TransactionTables } from './transaction.js'

export type { MysqlClient } from './client.js'
export type { MysqlAdapterOptions } from './options.js'
export { createTableSql, type ColumnNames, type MysqlTableOptions } from './sql.js'

/** The adapter of MySQL and MariaDB. */
export interface MysqlAdapter<T = unknown> extends ListingAdapter<T> {
  /**
   * Creates the table if it is missing. Call it before the app is ready, or in a migration.
   *
   * @throws FST_IF_MATCH_INVALID_ADAPTER if the server cannot be reached, or the user may not create the table
   */
  createTable (): Promise<void>
}

/**
 * Keeps entities in a table of MySQL or MariaDB, for any number of processes. A write compares and acts in one
 * statement: a write that applies is one round trip, a refusal is two. With `context: { client }` the write is part of
 * the transaction that `client` is in.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options; `open` rejects with FST_IF_MATCH_INVALID_ADAPTER for a server
 * that it cannot reach and a table that it cannot use
 * @example
 * import mysql from 'mysql2/promise'
 *
 * const pool = mysql.createPool({ uri: process.env.DATABASE_URL, connectTimeout: 2000 })
 * await app.register(ifMatch, { storage: mysqlAdapter({ client: pool }) })
 * // after app.close(), or in an onClose hook that was added before the plugin: await pool.end()
 */
export function mysqlAdapter<T = unknown> (options: MysqlAdapterOptions): MysqlAdapter<T> {
  const { client, ...bounds } = settingsOf(options)
  const source = sourceOf(client)
  const session = new MysqlSession(source, bounds)
  const entities = new MysqlTable<T>(session, options, { ...bounds, onlyWhere: source.isPool ? undefined : 'outside' })
  const inTransactions = new TransactionTables<T>(options, bounds.timeout, async () => await session.server())
  const underWay = new UnderWay()

  function tableOf (options: ReadOptions | undefined): MysqlTable<T> {
    return options?.context === undefined ? entities : inTransactions.tableOf(options.context)
  }

  async function atBoot (step: Promise<void>): Promise<void> {
    try {
      await step
    } catch (error) {
      if (isIfMatchError(error)) throw error
      const cause = explainBoot(error)
      throw new InvalidAdapterError(`cannot use this MySQL database. ${cause.message}`, { cause })
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

    async read (key, options) {
      checkKey(key)
      return await underWay.run(() => tableOf(options).read(key, options))
    },

    async write (key, value, expectation, options) {
      checkKey(key)
      const write = { key, version: newVersion(), json: jsonText(value), expectation, options }
      const table = tableOf(options)
      return await underWay.run(
        () => writeThenRead(expectation, (attempt) => table.write(write, attempt), () => table.readNewest(key))
      )
    },

    async remove (key, expectation, options) {
      checkKey(key)
      const table = tableOf(options)
      return await underWay.run(
        () => writeThenRead(expectation, () => table.remove(key, expectation, options), () => table.readNewest(key))
      )
    },

    async list (prefix, options = {}) {
      const limit = pageLimit(options.limit)
      const { after = '' } = options
      return pageOf(await underWay.run(() => tableOf(options).list(prefix, after, limit + 1, options)), limit)
    }
  }
}
