import { eq } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import type { Pool } from 'pg'
import { orderKey, type Order } from '../order.js'
import { inTransaction } from './in-transaction.js'
import * as schema from './orders-schema.js'

const { orders, lines } = schema
export type Db = NodePgDatabase<typeof schema>
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0]

export function ordersAdapter (pool: Pool): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: drizzle({ client: pool, schema }),
    transaction: (work: (tx: Tx) => Promise<unknown>) => inTransaction(pool, work),
    toId: orderKey.parse,
    async version (tx, { id }) {
      const rows = await tx.select({ version: orders.rowVersion }).from(orders).where(eq(orders.id, id)).for('update')
      return rows[0]?.version
    },
    async read (client: Db | Tx, { id }) {
      // One statement, so one snapshot: the tag and what it names are of one moment.
      const order = await client.query.orders.findFirst({
        where: eq(orders.id, id),
        with: { lines: { columns: { sku: true, quantity: true }, orderBy: lines.position } }
      })
      return order && {
        version: order.rowVersion,
        value: { customer: order.customer, note: order.note, lines: order.lines }
      }
    },
    async save (tx, { id }, { customer, note, lines: newLines }, isNew) {
      if (isNew) await tx.insert(orders).values({ id, customer, note })
      else await tx.update(orders).set({ customer, note }).where(eq(orders.id, id))
      await tx.delete(lines).where(eq(lines.orderId, id))
      // Drizzle refuses an insert of no rows.
      if (newLines.length > 0) {
        await tx.insert(lines).values(newLines.map((line, position) => ({ orderId: id, position, ...line })))
      }
    },
    async remove (tx, { id }) {
      await tx.delete(orders).where(eq(orders.id, id))
    }
  })
}
