import { eq, sql } from 'drizzle-orm'
import { drizzle, type MySql2Database } from 'drizzle-orm/mysql2'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter, wholeTransaction } from 'fastify-if-match/storage/transactions'
import type { Pool } from 'mysql2/promise'
import { orderKey, type Order } from '../order.js'
import { lines, orders } from './orders-schema.js'

export type Db = Pick<MySql2Database, 'select'>
export type Tx = Parameters<Parameters<MySql2Database['transaction']>[0]>[0]

export function ordersAdapter (pool: Pool): TransactionAdapter<Order> {
  const db = drizzle({ client: pool })
  return transactionsAdapter({
    client: db as Db,
    transaction: wholeTransaction<Tx>(
      (work) => db.transaction(work, { isolationLevel: 'read committed' }),
      (tx, text) => tx.execute(sql.raw(text))
    ),
    toId: orderKey.parse,
    async version (tx, { id }) {
      const rows = await tx.select({ version: orders.rowVersion }).from(orders).where(eq(orders.id, id)).for('update')
      return rows[0]?.version
    },
    async read (client, { id }) {
      // One statement, so one snapshot: the tag and what it names are of one moment.
      const rows = await client.select().from(orders).leftJoin(lines, eq(lines.orderId, orders.id))
        .where(eq(orders.id, id)).orderBy(lines.position)
      if (rows[0] === undefined) return undefined
      const { rowVersion: version, customer, note } = rows[0].orders
      const ofOrder = rows.flatMap(({ lines }) => lines ?? []).map(({ sku, quantity }) => ({ sku, quantity }))
      return { version, value: { customer, note, lines: ofOrder } }
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
