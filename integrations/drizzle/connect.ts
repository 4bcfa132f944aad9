import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter, type Tx } from './orders-adapter.js'
import * as schema from './orders-schema.js'

export function connect (connectionString: string): OrdersClient {
  const pool = new pg.Pool({ connectionString })
  pool.on('error', () => {}) // an idle connection was lost; without a listener the process ends
  return {
    adapter: ordersAdapter(drizzle({ client: pool, schema })),
    rename: async (tx: Tx, id: number, customer: string) =>
      await tx.update(schema.orders).set({ customer }).where(eq(schema.orders.id, id)),
    addLine: async (tx: Tx, id: number, position: number, line: Line) =>
      await tx.insert(schema.lines).values({ orderId: id, position, ...line }),
    close: async () => { await pool.end() }
  }
}
