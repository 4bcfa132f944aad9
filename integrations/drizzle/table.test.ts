import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import t from 'tap'
import { noHooks } from '../../test/support/table/table.js'
import { offer } from '../offer.js'
import { clientCases } from '../support/client-cases.js'
import { NOTES, type ClientTable } from '../support/client-table.js'
import { offersAdapter } from './offers-adapter.js'
import { schema } from './schema.js'

// One engine for all cases, which run one after the other: starting it takes longer than they do.
const database = await PGlite.create()
t.teardown(async () => { await database.close() })

async function openTable (): Promise<ClientTable> {
  await database.exec(`DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${schema}; ${NOTES}`)
  const hooks = noHooks()
  const client = new Proxy(database, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (name !== 'query') return typeof member === 'function' ? member.bind(target) : member
      return async (sql: string, ...rest: []) => {
        await hooks.before(sql)
        const result = await target.query(sql, ...rest)
        await hooks.after(sql)
        return result
      }
    }
  })
  const db = drizzle({ client })
  return {
    adapter: offersAdapter(db, offer),
    hooks,
    act: async (sql) => await database.exec(sql),
    rows: async (sql) => (await database.query(sql)).rows,
    transaction: async (run) => await db.transaction(async (tx) =>
      await run(tx, async (text) => await tx.execute(`INSERT INTO notes VALUES ('${text}')`)))
  }
}

await clientCases('drizzle', openTable)
