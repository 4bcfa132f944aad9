import type { Kysely, Transaction } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'
import type { Schema } from './orders-schema.js'

export function ordersAdapter (db: Kysely<Schema>): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: db,
    transaction: (work: (tx: Transaction<Schema>) => Promise<unknown>) => db.transaction().execute(work),
    toId: orderKey.parse,
    async version (tx, { id }) {
      const order = tx.selectFrom('orders').select('row_version').where('id', '=', id)
      return (await order.forUpdate().executeTakeFirst())?.row_version
    },
    async read (client: Kysely<Schema>, { id }) {
      // One statement, so one snapshot: the tag and what it names are of one moment.
      const order = await client.selectFrom('orders').where('id', '=', id).select((order) => [
        'row_version', 'customer', 'note',
        jsonArrayFrom(order.selectFrom('lines').select(['sku', 'quantity'])
          .whereRef('order_id', '=', 'orders.id').orderBy('position')).as('lines')
      ]).executeTakeFirst()
      return order && {
        version: order.row_version,
        value: { customer: order.customer, note: order.note, lines: order.lines }
      }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      if (isNew) await tx.insertInto('orders').values({ id, customer, note }).execute()
      else await tx.updateTable('orders').set({ customer, note }).where('id', '=', id).execute()
      await tx.deleteFrom('lines').where('order_id', '=', id).execute()
      // Kysely sends an insert of no rows as it is, which is a syntax error.
      if (lines.length > 0) {
        const rows = lines.map((line, position) => ({ order_id: id, position, ...line }))
        await tx.insertInto('lines').values(rows).execute()
      }
    },
    async remove (tx, { id }) {
      await tx.deleteFrom('orders').where('id', '=', id).execute()
    }
  })
}
