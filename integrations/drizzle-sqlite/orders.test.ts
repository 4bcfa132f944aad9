import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import t from 'tap'
import { ordersOnSqlite } from '../support/orders/sqlite.js'

await ordersOnSqlite('drizzle over better-sqlite3', new URL('./connect.js', import.meta.url))

await t.test('transaction() of Drizzle takes no work that is asynchronous', async (t) => {
  const db = drizzle({ client: new Database(':memory:') })
  t.throws(() => db.transaction(async () => {}), { message: 'Transaction function cannot return a promise' })
})
