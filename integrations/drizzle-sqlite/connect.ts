import Database from 'better-sqlite3'
import { eq } from 'drizzle-orm'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter, type Db } from './orders-adapter.js'
import { lines, orders } from './orders-schema.js'

export function connect (file: string): OrdersClient {
  const handle = new Database(file, { timeout: 0 })
  handle.pragma('synchronous = off') // for the speed of the tests
  return {
    adapter: ordersAdapter(handle),
    rename: async (tx: Db, id: number, customer: string) =>
      tx.update(orders).set({ customer }).where(eq(orders.id, id)).run(),
    addLine: async (tx: Db, id: number, position: number, line: Line) =>
      tx.insert(lines).values({ orderId: id, position, ...line }).run(),
    close: () => handle.close()
  }
}
