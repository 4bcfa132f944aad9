import type { Connection, Pool, PoolConnection, RowDataPacket } from 'mysql2/promise'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { mysqlTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'

// One statement, so one snapshot: the tag and what it names are of one moment.
const READ = `SELECT row_version, customer, note, sku, quantity
  FROM orders LEFT JOIN \`lines\` ON order_id = id WHERE id = ? ORDER BY position`

export function ordersAdapter (pool: Pool): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: pool as Pick<Connection, 'execute'>,
    transaction: mysqlTransaction<PoolConnection>(pool, 'READ COMMITTED'),
    toId: orderKey.parse,
    async version (tx, { id }) {
      const [rows] = await tx.execute<RowDataPacket[]>('SELECT row_version FROM orders WHERE id = ? FOR UPDATE', [id])
      return rows[0]?.['row_version']
    },
    async read (client, { id }) {
      const [rows] = await client.execute<RowDataPacket[]>(READ, [id])
      const [row] = rows
      if (row === undefined) return undefined
      const { row_version: version, customer, note } = row
      const lines = rows.filter(({ sku }) => sku !== null).map(({ sku, quantity }) => ({ sku, quantity }))
      return { version, value: { customer, note, lines } }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      await tx.execute(isNew
        ? 'INSERT INTO orders (customer, note, id) VALUES (?, ?, ?)'
        : 'UPDATE orders SET customer = ?, note = ? WHERE id = ?', [customer, note, id])
      await tx.execute('DELETE FROM `lines` WHERE order_id = ?', [id])
      const rows = lines.map(({ sku, quantity }, position) => [id, position, sku, quantity])
      if (rows.length > 0) await tx.query('INSERT INTO `lines` VALUES ?', [rows]) // without rows it is a syntax error
    },
    async remove (tx, { id }) {
      await tx.execute('DELETE FROM orders WHERE id = ?', [id])
    }
  })
}
