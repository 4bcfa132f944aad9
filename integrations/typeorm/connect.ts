import { DataSource, type EntityManager } from 'typeorm'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'
import { Lines, Orders } from './orders-schema.js'

export async function connect (url: string): Promise<OrdersClient> {
  const dataSource = new DataSource({ type: 'postgres', url, entities: [Orders, Lines], installExtensions: false })
  await dataSource.initialize()
  return {
    adapter: ordersAdapter(dataSource),
    rename: async (tx: EntityManager, id: number, customer: string) => await tx.update(Orders, { id }, { customer }),
    addLine: async (tx: EntityManager, id: number, position: number, line: Line) =>
      await tx.insert(Lines, { orderId: id, position, ...line }),
    close: async () => { await dataSource.destroy() }
  }
}
