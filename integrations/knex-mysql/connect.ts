import knex, { type Knex } from 'knex'
import { ordersAdapter } from '../knex/orders-adapter.js'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { inTransaction } from './in-transaction.js'

export function connect (connection: string): OrdersClient {
  const db = knex({ client: 'mysql2', connection })
  return {
    adapter: ordersAdapter(db, inTransaction(db)),
    rename: async (tx: Knex, id: number, customer: string) => await tx('orders').where({ id }).update({ customer }),
    addLine: async (tx: Knex, id: number, position: number, line: Line) =>
      await tx('lines').insert({ order_id: id, position, ...line }),
    close: async () => { await db.destroy() }
  }
}
