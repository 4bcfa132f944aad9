import { eq } from 'drizzle-orm'
import mysql2 from 'mysql2/promise'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter, type Tx } from './orders-adapter.js'
import { lines, orders } from './orders-schema.js'

export function connect (uri: string): OrdersClient {
  const pool = mysql2.createPool({ uri })
  return {
    adapter: ordersAdapter(pool),
    rename: async (tx: Tx, id: number, customer: string) =>
      await tx.update(orders).set({ customer }).where(eq(orders.id, id)),
    addLine: async (tx: Tx, id: number, position: number, line: Line) =>
      await tx.insert(lines).values({ orderId: id, position, ...line }),
    close: async () => { await pool.end() }
  }
}
