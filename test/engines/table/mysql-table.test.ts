import mariadb from 'mariadb'
import mysql2 from 'mysql2/promise'
import t from 'tap'
import { tableCases } from '../../support/table-adapter/cases.js'
import { conformance } from '../../support/table-adapter/conformance.js'
import type { TableEngine } from '../../support/table-adapter/engine.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'

const skip = skipWithout('mysql')

await t.test('mysql: the table adapter with mysql2 and with mariadb', { skip }, async (t) => {
  const { url } = await startMariadb(t)
  const { hostname, port } = new URL(url)
  const login = { host: hostname, port: Number(port), user: 'root', database: 'test' }
  const past = await mysql2.createConnection({ ...login, supportBigNumbers: true })
  t.teardown(async () => { await past.end() })
  const engineOf = (client: object, other: object, begin: TableEngine['rolledBack']): TableEngine => ({
    dialect: 'mysql',
    client,
    other,
    run: async (sql) => await past.query(sql),
    rows: async (sql) => ((await past.query(sql))[0] as object[]).map((row) => ({ ...row })),
    rolledBack: begin
  })

  await t.test('mysql2', async (t) => {
    const pools = [1, 2].map(() => mysql2.createPool({ ...login, connectionLimit: 8 }))
    t.teardown(async () => { for (const pool of pools) await pool.end() })
    const engine = engineOf(pools[0]!, pools[1]!, async (steps) => {
      const connection = await pools[0]!.getConnection()
      await connection.beginTransaction()
      await steps(connection)
      await connection.rollback()
      connection.release()
    })
    let isCut = false
    const cuttable = (pool: mysql2.Pool): object => ({
      query: pool.query.bind(pool),
      async execute (sql: string, values: never[]) {
        if (isCut) throw new Error('the connection is lost')
        return await pool.execute(sql, values)
      }
    })
    await conformance(t, { ...engine, client: cuttable(pools[0]!), other: cuttable(pools[1]!) }, async () => {
      isCut = true
      return async () => { isCut = false }
    })
    await tableCases(t, 'mysql2', engine)
  })

  await t.test('mariadb', async (t) => {
    const pools = [1, 2].map(() => mariadb.createPool({ ...login, connectionLimit: 8 }))
    t.teardown(async () => { for (const pool of pools) await pool.end() })
    await tableCases(t, 'mariadb', engineOf(pools[0]!, pools[1]!, async (steps) => {
      const connection = await pools[0]!.getConnection()
      await connection.beginTransaction()
      await steps(connection)
      await connection.rollback()
      await connection.release()
    }))
  })
})
