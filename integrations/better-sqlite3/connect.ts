import Database from 'better-sqlite3'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { lossyHandle } from '../support/orders/lossy-handle.js'
import { ordersAdapter } from './orders-adapter.js'

export function connect (file: string): OrdersClient {
  const { db, cut } = lossyHandle(new Database(file, { timeout: 0 }))
  db.pragma('synchronous = off') // for the speed of the tests
  return {
    adapter: ordersAdapter(db),
    rename: async (tx: Database.Database, id: number, customer: string) =>
      tx.prepare('UPDATE orders SET customer = ? WHERE id = ?').run(customer, id),
    addLine: async (tx: Database.Database, id: number, position: number, { sku, quantity }: Line) =>
      tx.prepare('INSERT INTO lines VALUES (?, ?, ?, ?)').run(id, position, sku, quantity),
    cut,
    close: () => db.close()
  }
}
