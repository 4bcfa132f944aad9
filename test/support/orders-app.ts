import Database from 'better-sqlite3'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import ifMatch, { type TransactionAdapter } from 'fastify-if-match'
import { sqliteTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import type { SqliteDatabase } from '../../lib/storage/sqlite/client.js'
import { newApp } from './offers-app.js'

export interface Line { sku: string, quantity: number }
export interface Order { customer: string, lines: Line[] }
export type Tx = SqliteDatabase

// The counter of an order is moved by triggers of both tables, so a change of its lines alone moves it, too.
const SCHEMA = `
  CREATE TABLE orders (id TEXT PRIMARY KEY, customer TEXT NOT NULL, row_version INTEGER NOT NULL DEFAULT 1);
  CREATE TABLE lines (
    order_id TEXT NOT NULL REFERENCES orders ON DELETE CASCADE, sku TEXT NOT NULL UNIQUE, quantity INTEGER NOT NULL);
  CREATE TRIGGER moved AFTER UPDATE OF customer ON orders BEGIN
    UPDATE orders SET row_version = row_version + 1 WHERE id = new.id; END;
  CREATE TRIGGER added AFTER INSERT ON lines BEGIN
    UPDATE orders SET row_version = row_version + 1 WHERE id = new.order_id; END;
  CREATE TRIGGER dropped AFTER DELETE ON lines BEGIN
    UPDATE orders SET row_version = row_version + 1 WHERE id = old.order_id; END`

// better-sqlite3 is built for one Node.js, and node:sqlite is not in all of them.
function newDatabase (): Tx {
  const sqlite = process.getBuiltinModule('node:sqlite') as { DatabaseSync: new (file: string) => Tx } | undefined
  return sqlite === undefined ? new Database(':memory:') : new sqlite.DatabaseSync(':memory:')
}

/** Stores the rows of an order. */
export function save (tx: Tx, id: string, { customer, lines }: Order): void {
  tx.prepare('INSERT INTO orders (id, customer) VALUES (?, ?) ON CONFLICT DO UPDATE SET customer = excluded.customer')
    .run(id, customer)
  tx.prepare('DELETE FROM lines WHERE order_id = ?').run(id)
  for (const { sku, quantity } of lines) tx.prepare('INSERT INTO lines VALUES (?, ?, ?)').run(id, sku, quantity)
}

/** Orders with lines in two tables of SQLite, and the adapter over them. Order 1 is there. */
export function ordersTables () {
  const database = newDatabase()
  database.exec(SCHEMA)
  save(database, '1', { customer: 'Ada', lines: [{ sku: 'cup', quantity: 1 }] })
  const load = (client: Tx, id: string): Order | undefined => {
    const row = client.prepare('SELECT customer FROM orders WHERE id = ?').get(id) as Order | undefined
    const select = client.prepare('SELECT sku, quantity FROM lines WHERE order_id = ? ORDER BY rowid')
    const lines = (select.all(id) as Line[]).map((line) => ({ ...line }))
    return row && { customer: row.customer, lines }
  }
  const version = (client: Tx, id: string) =>
    (client.prepare('SELECT row_version AS version FROM orders WHERE id = ?').get(id) as { version: number })?.version
  const storage: TransactionAdapter<Order> = transactionsAdapter({
    client: database,
    transaction: sqliteTransaction(database),
    toId: (key) => key.replace('/orders/', ''),
    version,
    read: (client: Tx, id) => {
      const found = version(client, id)
      return found === undefined ? undefined : { version: found, value: load(client, id)! }
    },
    save,
    remove: (tx, id) => tx.prepare('DELETE FROM orders WHERE id = ?').run(id)
  })
  return { database, storage, order: (id = '1') => load(database, id) }
}

/** An app over these tables, to which `prepare` adds routes. */
export async function ordersApp (
  t: Test,
  prepare: (app: FastifyInstance) => unknown,
  adapt: (storage: TransactionAdapter<Order>) => TransactionAdapter<Order> = (storage) => storage
) {
  const tables = ordersTables()
  const app = newApp(t)
  await app.register(ifMatch, { storage: adapt(tables.storage) })
  app.get('/orders/:id', { config: { ifMatch: true } }, async (request) => (await request.entity<Order>().read()).value)
  await prepare(app)
  const tag = async (id = '1') => (await app.inject(`/orders/${id}`)).headers.etag as string
  return { ...tables, app, tag }
}
