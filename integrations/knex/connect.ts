import knex, { type Knex } from 'knex'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'

export function connect (connectionString: string): OrdersClient {
  const db = knex({ client: 'pg', connection: connectionString })
  return {
    adapter: ordersAdapter(db),
    rename: async (tx: Knex, id: number, customer: string) => await tx('orders').where({ id }).update({ customer }),
    addLine: async (tx: Knex, id: number, position: number, line: Line) =>
      await tx('lines').insert({ order_id: id, position, ...line }),
    close: async () => { await db.destroy() }
  }
}
