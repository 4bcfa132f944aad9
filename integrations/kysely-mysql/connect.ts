import { Kysely, MysqlDialect, type Transaction } from 'kysely'
import { createPool } from 'mysql2'
import type { Schema } from './orders-schema.js'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'

export function connect (uri: string): OrdersClient {
  const db = new Kysely<Schema>({ dialect: new MysqlDialect({ pool: createPool(uri) }) })
  return {
    adapter: ordersAdapter(db),
    rename: async (tx: Transaction<Schema>, id: number, customer: string) =>
      await tx.updateTable('orders').set({ customer }).where('id', '=', id).execute(),
    addLine: async (tx: Transaction<Schema>, id: number, position: number, line: Line) =>
      await tx.insertInto('lines').values({ order_id: id, position, ...line }).execute(),
    close: async () => { await db.destroy() }
  }
}
