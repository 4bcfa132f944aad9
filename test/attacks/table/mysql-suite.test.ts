import mariadb from 'mariadb'
import mysql2 from 'mysql2/promise'
import t from 'tap'
import { skipWithout } from '../../support/services/programs.js'
import { tableCases } from '../../support/table-adapter/cases.js'
import { conformance } from '../../support/table-adapter/conformance.js'
import { mysqlTables } from '../../support/table-adapter/mysql-engine.js'

const skip = skipWithout('mysql')

await t.test('mysql: the conformance suite on a table with mysql2 and with mariadb', { skip }, async (t) => {
  const { engineOf } = await mysqlTables(t)
  await tableCases(t, 'mariadb', engineOf(t, mariadb.createPool as never))
  for (const [name, newPool] of [['mysql2', mysql2.createPool], ['mariadb', mariadb.createPool]] as const) {
    await t.test(name, async (t) => {
      const engine = engineOf(t, newPool as typeof mysql2.createPool)
      let isCut = false
      const [client, other] = engine.pools.map((pool) => ({
        async execute (sql: string, values: never[]) {
          if (isCut) throw new Error('the connection is lost')
          return await pool.execute(sql, values)
        }
      })) as [object, object]
      const cut = async () => {
        isCut = true
        return async () => { isCut = false }
      }
      await conformance(t, { ...engine, client, other }, cut)
      await t.test('with marks of deletion', async (t) => {
        await conformance(t, { ...engine, client, other }, cut, { deleted: 'gone_at' })
      })
    })
  }
})
