import type { Pool, PoolClient } from 'pg'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { pgTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'

// One statement, so one snapshot: the tag and what it names are of one moment.
const READ = `
  SELECT row_version AS version, customer, note, ARRAY(
    SELECT json_build_object('sku', sku, 'quantity', quantity) FROM lines WHERE order_id = id ORDER BY position
  ) AS lines
  FROM orders WHERE id = $1`

export function ordersAdapter (pool: Pool): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: pool,
    transaction: pgTransaction<PoolClient>(pool),
    toId: orderKey.parse,
    async version (tx, { id }) {
      const { rows } = await tx.query('SELECT row_version FROM orders WHERE id = $1 FOR UPDATE', [id])
      return rows[0]?.row_version
    },
    async read (client, { id }) {
      const { rows: [row] } = await client.query<Order & { version: string }>(READ, [id])
      return row && { version: row.version, value: { customer: row.customer, note: row.note, lines: row.lines } }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      await tx.query(isNew
        ? 'INSERT INTO orders (id, customer, note) VALUES ($1, $2, $3)'
        : 'UPDATE orders SET customer = $2, note = $3 WHERE id = $1', [id, customer, note])
      await tx.query('DELETE FROM lines WHERE order_id = $1', [id])
      await tx.query(`INSERT INTO lines SELECT $1, position, sku, quantity
        FROM unnest($2::text[], $3::integer[]) WITH ORDINALITY AS line (sku, quantity, position)`,
      [id, lines.map(({ sku }) => sku), lines.map(({ quantity }) => quantity)])
    },
    async remove (tx, { id }) {
      await tx.query('DELETE FROM orders WHERE id = $1', [id])
    }
  })
}
