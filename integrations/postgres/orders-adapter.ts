import type { ISql, Sql, TransactionSql } from 'postgres'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'

type Row = Order & { version: string }

export function ordersAdapter (sql: Sql): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: sql as ISql,
    transaction: (work: (tx: TransactionSql) => Promise<unknown>) => sql.begin(work),
    toId: orderKey.parse,
    async version (tx, { id }) {
      const [row] = await tx`SELECT row_version FROM orders WHERE id = ${id} FOR UPDATE`
      return row?.row_version
    },
    async read (client, { id }) {
      // One statement, so one snapshot: the tag and what it names are of one moment.
      const [row] = await client<Row[]>`
        SELECT row_version AS version, customer, note, ARRAY(
          SELECT json_build_object('sku', sku, 'quantity', quantity) FROM lines WHERE order_id = id ORDER BY position
        ) AS lines
        FROM orders WHERE id = ${id}`
      if (row === undefined) return undefined
      const { version, ...value } = row
      return { version, value }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      await (isNew
        ? tx`INSERT INTO orders (id, customer, note) VALUES (${id}, ${customer}, ${note})`
        : tx`UPDATE orders SET customer = ${customer}, note = ${note} WHERE id = ${id}`)
      await tx`DELETE FROM lines WHERE order_id = ${id}`
      const rows = lines.map(({ sku, quantity }, position) => ({ order_id: id, position, sku, quantity }))
      if (rows.length > 0) await tx`INSERT INTO lines ${tx(rows)}` // without rows it is a syntax error
    },
    async remove (tx, { id }) {
      await tx`DELETE FROM orders WHERE id = ${id}`
    }
  })
}
