import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'
import type { Schema } from './orders-schema.js'

export function connect (connectionString: string): OrdersClient {
  const pool = new pg.Pool({ connectionString })
  // A connection was lost, idle or inside of a transaction. Without a listener the process ends.
  pool.on('error', () => {}).on('connect', (connection) => connection.on('error', () => {}))
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  return {
    adapter: ordersAdapter(db),
    rename: async (tx: Transaction<Schema>, id: number, customer: string) =>
      await tx.updateTable('orders').set({ customer }).where('id', '=', id).execute(),
    addLine: async (tx: Transaction<Schema>, id: number, position: number, line: Line) =>
      await tx.insertInto('lines').values({ order_id: id, position, ...line }).execute(),
    close: async () => { await db.destroy() }
  }
}
