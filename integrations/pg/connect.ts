import pg from 'pg'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'

export function connect (connectionString: string): OrdersClient {
  const pool = new pg.Pool({ connectionString })
  pool.on('error', () => {}) // an idle connection was lost; without a listener the process ends
  return {
    adapter: ordersAdapter(pool),
    rename: async (tx: pg.PoolClient, id: number, customer: string) =>
      await tx.query('UPDATE orders SET customer = $2 WHERE id = $1', [id, customer]),
    addLine: async (tx: pg.PoolClient, id: number, position: number, { sku, quantity }: Line) =>
      await tx.query('INSERT INTO lines VALUES ($1, $2, $3, $4)', [id, position, sku, quantity]),
    close: async () => { await pool.end() }
  }
}
