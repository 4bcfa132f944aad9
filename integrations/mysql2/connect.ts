import mysql2, { type PoolConnection } from 'mysql2/promise'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'

export function connect (uri: string): OrdersClient {
  const pool = mysql2.createPool({ uri })
  return {
    adapter: ordersAdapter(pool),
    rename: async (tx: PoolConnection, id: number, customer: string) =>
      await tx.execute('UPDATE orders SET customer = ? WHERE id = ?', [customer, id]),
    addLine: async (tx: PoolConnection, id: number, position: number, { sku, quantity }: Line) =>
      await tx.execute('INSERT INTO `lines` VALUES (?, ?, ?, ?)', [id, position, sku, quantity]),
    close: async () => { await pool.end() }
  }
}
