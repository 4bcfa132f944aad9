import { sql, type Kysely, type Transaction } from 'kysely'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter, wholeTransaction } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'
import type { Schema } from './orders-schema.js'

export function ordersAdapter (db: Kysely<Schema>): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: db,
    transaction: wholeTransaction<Transaction<Schema>>(
      (work) => db.transaction().setIsolationLevel('read committed').execute(work),
      (tx, text) => sql.raw(text).execute(tx)
    ),
    toId: orderKey.parse,
    async version (tx, { id }) {
      const order = tx.selectFrom('orders').select('row_version').where('id', '=', id)
      return (await order.forUpdate().executeTakeFirst())?.row_version
    },
    async read (client: Kysely<Schema>, { id }) {
      // One statement, so one snapshot: the tag and what it names are of one moment.
      const rows = await client.selectFrom('orders').leftJoin('lines', 'order_id', 'id')
        .select(['row_version', 'customer', 'note', 'sku', 'quantity'])
        .where('id', '=', id).orderBy('position').execute()
      if (rows[0] === undefined) return undefined
      const { row_version: version, customer, note } = rows[0]
      const lines = rows.flatMap(({ sku, quantity }) => sku === null ? [] : [{ sku, quantity: quantity! }])
      return { version, value: { customer, note, lines } }
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
