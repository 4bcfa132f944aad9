import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { NotingClient } from '../../support/postgres/subjects.js'
import { tableCases } from '../../support/table-adapter/cases.js'
import { conformance } from '../../support/table-adapter/conformance.js'
import type { TableEngine } from '../../support/table-adapter/engine.js'

// One PGlite for all: it takes seconds to make. `test/attacks/table/` has a server.
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

await conformance(t, engine, async () => {
  for (const cut of [client, other]) cut.around = async () => { throw new Error('the connection is lost') }
  return async () => { for (const cut of [client, other]) cut.around = async (_text, send) => await send() }
})
await tableCases(t, 'postgres', engine)
