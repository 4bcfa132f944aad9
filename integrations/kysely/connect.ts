import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'
import type { Schema } from './orders-schema.js'

export function connect (connectionString: string): OrdersClient {
  const pool = new pg.Pool({ connectionString })
  pool.on('error', () => {}) // an idle connection was lost; without a listener the process ends
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
