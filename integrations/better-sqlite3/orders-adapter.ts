import type { Database } from 'better-sqlite3'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { sqliteTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'

type Row = Omit<Order, 'lines'> & { version: string, lines: string }

// One statement, so one snapshot: the tag and what it names are of one moment.
const READ = `
  SELECT row_version AS version, customer, note, (SELECT json_group_array(
    json_object('sku', sku, 'quantity', quantity) ORDER BY position) FROM lines WHERE order_id = id) AS lines
  FROM orders WHERE id = ?`

export function ordersAdapter (db: Database): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: db,
    transaction: sqliteTransaction<Database>(db),
    toId: orderKey.parse,
    version (tx, { id }) {
      return tx.prepare<[number], string>('SELECT row_version FROM orders WHERE id = ?').pluck().get(id)
    },
    read (client, { id }) {
      const row = client.prepare<[number], Row>(READ).get(id)
      if (row === undefined) return undefined
      const { version, ...value } = row
      return { version, value: { ...value, lines: JSON.parse(value.lines) } }
    },
    save (tx, { id }, { customer, note, lines }, isNew) {
      tx.prepare(isNew
        ? 'INSERT INTO orders (customer, note, id) VALUES (?, ?, ?)'
        : 'UPDATE orders SET customer = ?, note = ? WHERE id = ?').run(customer, note, id)
      tx.prepare('DELETE FROM lines WHERE order_id = ?').run(id)
      const add = tx.prepare('INSERT INTO lines VALUES (?, ?, ?, ?)')
      for (const [position, { sku, quantity }] of lines.entries()) add.run(id, position, sku, quantity)
    },
    remove (tx, { id }) {
      tx.prepare('DELETE FROM orders WHERE id = ?').run(id)
    }
  })
}
