import { eq } from 'drizzle-orm'
import pg from 'pg'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter, type Tx } from './orders-adapter.js'
import * as schema from './orders-schema.js'

export function connect (connectionString: string): OrdersClient {
  const pool = new pg.Pool({ connectionString })
  // A connection was lost, idle or inside of a transaction. Without a listener the process ends.
  pool.on('error', () => {}).on('connect', (connection) => connection.on('error', () => {}))
  return {
    adapter: ordersAdapter(pool),
    rename: async (tx: Tx, id: number, customer: string) =>
      await tx.update(schema.orders).set({ customer }).where(eq(schema.orders.id, id)),
    addLine: async (tx: Tx, id: number, position: number, line: Line) =>
      await tx.insert(schema.lines).values({ orderId: id, position, ...line }),
    close: async () => { await pool.end() }
  }
}
