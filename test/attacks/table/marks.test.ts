import { PGlite } from '@electric-sql/pglite'
import Database from 'better-sqlite3'
import t from 'tap'
import { NotingClient } from '../../support/postgres/subjects.js'
import { tableCases } from '../../support/table-adapter/cases.js'
import { conformance } from '../../support/table-adapter/conformance.js'
import type { TableEngine } from '../../support/table-adapter/engine.js'
import { sqliteCases } from '../../support/table-adapter/sqlite-engine.js'

await t.test('sqlite: the conformance suite on a table with marks of deletion', async (t) => {
  await sqliteCases(t, 'sqlite', (file) => new Database(file), { deleted: 'gone_at' })
})

await t.test('postgres: the conformance suite on a table with marks of deletion, on PGlite', async (t) => {
  const lite = await PGlite.create()
  t.teardown(async () => { await lite.close() })
  const [client, other] = [new NotingClient(lite), new NotingClient(lite)]
  const engine: TableEngine = {
    dialect: 'postgres',
    client,
    other,
    run: async (sql) => await lite.exec(sql),
    rows: async (sql) => (await lite.query(sql)).rows,
    async rolledBack (steps) {
      await lite.transaction(async (tx) => {
        await steps(tx)
        await tx.rollback()
      })
    }
  }
  const cut = async () => {
    for (const cut of [client, other]) cut.around = async () => { throw new Error('the connection is lost') }
    return async () => { for (const cut of [client, other]) cut.around = async (_text, send) => await send() }
  }
  await conformance(t, engine, cut, { deleted: 'gone_at' })
  await tableCases(t, 'pglite', engine)
})
