import type { Knex } from 'knex'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'

type Transact = (work: (tx: Knex.Transaction) => Promise<unknown>) => Promise<unknown>

export function ordersAdapter (
  db: Knex,
  transaction: Transact = (work) => db.transaction(work)
): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: db,
    transaction,
    toId: orderKey.parse,
    async version (tx, { id }) {
      const row = await tx('orders').where({ id }).forUpdate().first('row_version')
      return row?.row_version
    },
    async read (client: Knex, { id }) {
      // One statement, so one snapshot: the tag and what it names are of one moment.
      const rows = await client('orders').leftJoin('lines', 'order_id', 'id').where({ id }).orderBy('position')
        .select('row_version', 'customer', 'note', 'sku', 'quantity')
      if (rows.length === 0) return undefined
      const [{ row_version: version, customer, note }] = rows
      const lines = rows.filter(({ sku }) => sku !== null).map(({ sku, quantity }) => ({ sku, quantity }))
      return { version, value: { customer, note, lines } }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      if (isNew) await tx('orders').insert({ id, customer, note })
      else await tx('orders').where({ id }).update({ customer, note })
      await tx('lines').where({ order_id: id }).delete()
      // Knex refuses an insert of no rows.
      if (lines.length === 0) return
      await tx('lines').insert(lines.map((line, position) => ({ order_id: id, position, ...line })))
    },
    async remove (tx, { id }) {
      await tx('orders').where({ id }).delete()
    }
  })
}
