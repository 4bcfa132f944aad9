import type { Database } from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import { drizzle, type BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { sqliteTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'
import * as schema from './orders-schema.js'

const { orders, lines } = schema
export type Db = BetterSQLite3Database<typeof schema>

export function ordersAdapter (handle: Database): TransactionAdapter<Order> {
  const db = drizzle({ client: handle, schema })
  // Not that of Drizzle, which takes no work that is asynchronous.
  const inTransaction = sqliteTransaction(handle)
  return transactionsAdapter({
    client: db,
    transaction: (work: (tx: Db) => Promise<unknown>) => inTransaction(() => work(db)),
    toId: orderKey.parse,
    version: (tx, { id }) => tx.select().from(orders).where(eq(orders.id, id)).get()?.rowVersion,
    read (client, { id }) {
      // One statement, so one snapshot: the tag and what it names are of one moment.
      const order = client.query.orders.findFirst({
        where: eq(orders.id, id),
        with: { lines: { columns: { sku: true, quantity: true }, orderBy: lines.position } }
      }).sync()
      return order && {
        version: order.rowVersion,
        value: { customer: order.customer, note: order.note, lines: order.lines }
      }
    },
    save (tx, { id }, { customer, note, lines: newLines }, isNew) {
      if (isNew) tx.insert(orders).values({ id, customer, note }).run()
      else tx.update(orders).set({ customer, note }).where(eq(orders.id, id)).run()
      tx.delete(lines).where(eq(lines.orderId, id)).run()
      // Drizzle refuses an insert of no rows.
      if (newLines.length > 0) {
        tx.insert(lines).values(newLines.map((line, position) => ({ orderId: id, position, ...line }))).run()
      }
    },
    remove (tx, { id }) {
      tx.delete(orders).where(eq(orders.id, id)).run()
    }
  })
}
