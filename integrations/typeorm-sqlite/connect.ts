import { DataSource } from 'typeorm'
import type { OrdersClient } from '../support/orders/client.js'
import { statements } from '../typeorm/statements.js'
import { ordersAdapter } from './orders-adapter.js'
import { Lines, Orders } from './orders-schema.js'

export async function connect (database: string): Promise<OrdersClient> {
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database,
    timeout: 0,
    entities: [Orders, Lines],
    prepareDatabase: (handle: { pragma: (text: string) => unknown }) => handle.pragma('synchronous = off') // for speed
  })
  await dataSource.initialize()
  return { adapter: ordersAdapter(dataSource), ...statements, close: async () => { await dataSource.destroy() } }
}
