import Database from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { lossyHandle } from '../support/orders/lossy-handle.js'
import { ordersAdapter, type Db } from './orders-adapter.js'
import { lines, orders } from './orders-schema.js'

export function connect (file: string): OrdersClient {
  const { db, cut } = lossyHandle(new Database(file, { timeout: 0 }))
  db.pragma('synchronous = off') // for the speed of the tests
  return {
    adapter: ordersAdapter(db),
    rename: async (tx: Db, id: number, customer: string) =>
      tx.update(orders).set({ customer }).where(eq(orders.id, id)).run(),
    addLine: async (tx: Db, id: number, position: number, line: Line) =>
      tx.insert(lines).values({ orderId: id, position, ...line }).run(),
    cut,
    close: () => db.close()
  }
}
