import mysql2 from 'mysql2/promise'
import type { Test } from 'tap'
import { startMariadb } from '../services/mariadb.js'
import type { TableEngine } from './engine.js'

interface Transaction {
  beginTransaction: () => Promise<unknown>
  rollback: () => Promise<unknown>
  release: () => unknown
}

interface TestPool { getConnection: () => Promise<Transaction>, end: () => Promise<unknown> }

/** A MySQL or MariaDB for tables: how to reach it, a connection past the adapter, and engines over a driver's pools. */
export async function mysqlTables (t: Test) {
  const { hostname, port } = new URL((await startMariadb(t)).url)
  const login = { host: hostname, port: Number(port), user: 'root', database: 'test' }
  const past = await mysql2.createConnection({ ...login, supportBigNumbers: true })
  t.teardown(async () => { await past.end() })

  function engineOf<P extends TestPool> (t: Test, newPool: (login: object) => P): TableEngine & { pools: P[] } {
    const pools = [1, 2].map(() => newPool({ ...login, connectionLimit: 8 }))
    t.teardown(async () => { for (const pool of pools) await pool.end() })
    return {
      dialect: 'mysql',
      pools,
      client: pools[0]!,
      other: pools[1]!,
      run: async (sql) => await past.query(sql),
      rows: async (sql) => ((await past.query(sql))[0] as object[]).map((row) => ({ ...row })),
      async rolledBack (steps) {
        const connection = await pools[0]!.getConnection()
        await connection.beginTransaction()
        await steps(connection)
        await connection.rollback()
        await connection.release()
      }
    }
  }
  return { login, past, engineOf }
}
