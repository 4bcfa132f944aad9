import { readFileSync } from 'node:fs'
import mysql2 from 'mysql2/promise'
import t, { type Test } from 'tap'
import { startMariadb } from '../../../test/support/services/mariadb.js'
import { startProxy } from '../../../test/support/services/proxy.js'
import { skipWithout } from '../../../test/support/services/programs.js'
import { uniqueName } from '../../../test/support/services/service.js'
import { until } from '../../../test/support/until.js'
import { orderCases } from './cases.js'
import { connectTo, type Subject } from './client.js'
import { mysqlCases } from './mysql-cases.js'
import { tablesOf, type OrdersStore, type StoreOptions } from './store.js'

const script = readFileSync('support/orders/mysql.sql', 'utf8')

/**
 * What a client of MySQL and MariaDB must show, at the isolation level that its own transactions have.
 *
 * @param module the address of the client's `connect.ts`, as it is compiled
 */
export async function ordersOnMysql (
  name: string,
  module: URL,
  { faults }: Pick<Subject, 'faults'> = {}
): Promise<void> {
  await t.test(name, { skip: skipWithout('mysql') }, async (t) => {
    const { url } = await startMariadb(t)
    const newStore = async (t: Test, options?: StoreOptions) => await newMysqlDatabase(t, url, options)
    await orderCases(t, { name, module, faults }, newStore)
    const store = await newStore(t)
    const client = await connectTo({ module }, store.address)
    t.teardown(async () => { await client.close() })
    await mysqlCases(t, client, store)
  })
}

/** A database on the server at this address, whose own address is that of a proxy. */
export async function newMysqlDatabase (t: Test, url: string, options?: StoreOptions): Promise<OrdersStore> {
  const name = uniqueName()
  const own = new URL(url)
  own.pathname = name
  const pool = mysql2.createPool({ uri: own.href, connectionLimit: 4, multipleStatements: true })
  t.teardown(async () => { await pool.end() })
  const root = await mysql2.createConnection(url)
  t.teardown(async () => {
    await root.query(`DROP DATABASE ${name}`)
    await root.end()
  })
  await root.query(`CREATE DATABASE ${name}`)
  await pool.query(tablesOf(script, options))
  const proxy = await startProxy(t, own.href)
  return {
    address: proxy.url,
    act: async (sql) => await again(async () => await pool.query(quoted(sql))),
    rows: async (sql) => ((await pool.query(quoted(sql)))[0] as object[]).map((row) => ({ ...row })),
    async cut () {
      await proxy.refuse()
      return proxy.accept
    }
  }
}

// LINES is a reserved word.
function quoted (sql: string): string {
  return sql.replace(/(?<!`)\blines\b/g, '`lines`')
}

// A job that met another transaction is run again, as jobs are.
async function again<R> (job: () => Promise<R>): Promise<R> {
  return (await until('the job meets nobody', async () => {
    try {
      return { result: await job() }
    } catch (error) {
      if ((error as { errno: number }).errno !== 1213) throw error
      return undefined
    }
  })).result
}
