import { DataSource } from 'typeorm'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'
import { Lines, Orders } from './orders-schema.js'
import { statements } from './statements.js'

export async function connect (url: string): Promise<OrdersClient> {
  const dataSource = new DataSource({ type: 'postgres', url, entities: [Orders, Lines], installExtensions: false })
  await dataSource.initialize()
  return { adapter: ordersAdapter(dataSource), ...statements, close: async () => { await dataSource.destroy() } }
}
