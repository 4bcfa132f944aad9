import postgres from 'postgres'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'

export function connect (url: string): OrdersClient {
  const sql = postgres(url, { onnotice: () => {} })
  return {
    adapter: ordersAdapter(sql),
    rename: async (tx: postgres.TransactionSql, id: number, customer: string) =>
      await tx`UPDATE orders SET customer = ${customer} WHERE id = ${id}`,
    addLine: async (tx: postgres.TransactionSql, id: number, position: number, { sku, quantity }: Line) =>
      await tx`INSERT INTO lines VALUES (${id}, ${position}, ${sku}, ${quantity})`,
    close: async () => { await sql.end() }
  }
}
