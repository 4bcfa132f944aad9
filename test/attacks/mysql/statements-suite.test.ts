import mysql2, { type Pool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import t from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { checkKey } from 'fastify-if-match/storage'
import { mysqlFault, statementsAdapter, type Row } from 'fastify-if-match/storage/statements'
import { ABSENT, EXISTS, versionIn } from '../../support/expectations.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { uniqueName } from '../../support/services/service.js'

/** A pool, or a connection of it that is in a transaction. */
type Client = Pick<Pool, 'execute'>

/** A value as the table has it. */
interface Columns { value: string }

const ER_DUP_ENTRY = 1062

function adapterOn (client: Client, table: string, store: number, newestEnd = 'LOCK IN SHARE MODE'): StorageAdapter {
  // mysql2 counts the rows that matched (engine-facts#mariadb-affected-rows).
  const changed = async (client: Client, sql: string, values: Array<string | null>): Promise<number> =>
    (await client.execute<ResultSetHeader>(sql, values))[0].affectedRows
  const where = (versions: readonly string[] | undefined): string =>
    `WHERE id = ?${versions === undefined ? '' : ` AND version IN (${versions.map(() => '?').join()})`}`
  return statementsAdapter<unknown, Columns, Client>({
    client,
    faultOf: mysqlFault,
    toId (key) {
      checkKey(key)
      return `${store}:${key}`
    },
    toColumns: (value) => ({ value: JSON.stringify(value) }),
    toValue: ({ value }) => JSON.parse(value) as unknown,
    async read (client, id, { newest }) {
      const sql = `SELECT * FROM ${table} WHERE id = ? ${newest ? newestEnd : ''}`
      const [rows] = await client.execute<RowDataPacket[]>(sql, [id])
      return rows[0] as Row<Columns> | undefined
    },
    // `replaced` stands first: a later assignment sees an earlier one (engine-facts#mariadb-set-order).
    update: async (client, id, { value, version, digest }, versions) => await changed(
      client,
      `UPDATE ${table} SET replaced = version, value = ?, version = ?, digest = ? ${where(versions)}`,
      [value, version, digest, id, ...versions ?? []]
    ),
    // Not INSERT IGNORE, which makes warnings of other errors, too (engine-facts#mariadb-insert-ignore).
    async insert (client, id, { value, version, digest }) {
      const sql = `INSERT INTO ${table} (id, value, version, digest) VALUES (?, ?, ?, ?)`
      return await changed(client, sql, [id, value, version, digest]).catch((error: { errno?: number }) => {
        if (error.errno === ER_DUP_ENTRY) return 0
        throw error
      })
    },
    remove: async (client, id, versions) =>
      await changed(client, `DELETE FROM ${table} ${where(versions)}`, [id, ...versions ?? []])
  })
}

await t.test('mysql: the conformance suite on four statements with mysql2, and with outages', { skip: skipWithout('mysql') }, async (t) => {
  const { url } = await startMariadb(t)
  const proxy = await startProxy(t, url)
  const [steady, client, other] = [url, proxy.url, proxy.url].map((uri) => {
    const pool = mysql2.createPool(uri)
    t.teardown(async () => { await pool.end() })
    return pool
  }) as [Pool, Pool, Pool]
  const table = uniqueName()
  await steady.query(`CREATE TABLE ${table} (
    id varbinary(1100) PRIMARY KEY, value longtext CHARACTER SET utf8mb4 NOT NULL,
    version varchar(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    replaced varchar(64) CHARACTER SET ascii COLLATE ascii_nopad_bin, digest text CHARACTER SET utf8mb4)`)
  let stores = 0

  await t.test('in a transaction at REPEATABLE READ that has read before, a refusal has the newest state if read takes a lock; without one it is STORAGE_FAULT, which says so', async (t) => {
    const fault = { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /REPEATABLE READ: let its read lock/ }
    for (const [end, expected] of [['LOCK IN SHARE MODE', { applied: false, current: { value: 2 } }], ['', fault]]) {
      const adapter = adapterOn(steady, table, ++stores, end as string)
      const { version } = await adapter.write('/k', 1, ABSENT) as { version: string }
      const client = await steady.getConnection()
      t.teardown(() => { client.destroy() })
      await client.query('BEGIN')
      const context = { client }
      await adapter.read('/k', { context })
      await adapter.write('/k', 2, EXISTS)
      const outcome = adapter.write('/k', 3, versionIn(version), { context })
      t.match(await outcome.catch((error: unknown) => error), expected)
    }
  })

  await conformanceSuite({
    test: (title, run) => t.test(title, run),
    list: false,
    async createAdapter () {
      const store = ++stores
      return {
        adapter: adapterOn(client, table, store),
        another: async () => adapterOn(other, table, store),
        async cut () {
          await proxy.refuse()
          return proxy.accept
        }
      }
    }
  })
})
