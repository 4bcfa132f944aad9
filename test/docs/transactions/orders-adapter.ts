import type { Database } from 'better-sqlite3'
import { keyPattern, wholeNumber } from 'fastify-if-match'
import { sqliteTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'

interface Order { customer: string }
interface Row extends Order { version: number, written: string | null, replaced: string | null, digest: string | null }

const READ = `
  SELECT customer, row_version AS version, w.version AS written, replaced, digest
  FROM orders LEFT JOIN order_writes w ON order_id = id WHERE id = ?`

const SAVE_LAST_WRITE = `
  INSERT INTO order_writes (order_id, version, replaced, digest) VALUES (?, ?, ?, ?)
  ON CONFLICT (order_id) DO UPDATE
  SET version = excluded.version, replaced = excluded.replaced, digest = excluded.digest`

export function ordersAdapter (db: Database) {
  return transactionsAdapter<Order, Database, Database, { id: number }>({
    client: db,
    transaction: sqliteTransaction<Database>(db),
    toId: keyPattern('/orders/:id', { id: wholeNumber }).parse,
    version (tx, { id }) {
      return tx.prepare<[number], number>('SELECT row_version FROM orders WHERE id = ?').pluck().get(id)
    },
    read (client, { id }) {
      const row = client.prepare<[number], Row>(READ).get(id)
      if (row === undefined) return undefined
      const { customer, version, written, replaced, digest } = row
      return { version, value: { customer }, lastWrite: { version: written, replaced, digest } }
    },
    save (tx, { id }, { customer }, isNew) {
      tx.prepare(isNew
        ? 'INSERT INTO orders (customer, id) VALUES (?, ?)'
        : 'UPDATE orders SET customer = ? WHERE id = ?').run(customer, id)
    },
    saveLastWrite (tx, { id }, { version, replaced, digest }) {
      tx.prepare(SAVE_LAST_WRITE).run(id, version, replaced, digest)
    }
  })
}
