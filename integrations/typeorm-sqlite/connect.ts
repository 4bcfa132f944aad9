import Database from 'better-sqlite3'
import { DataSource } from 'typeorm'
import type { OrdersClient } from '../support/orders/client.js'
import { lossyHandle } from '../support/orders/lossy-handle.js'
import { statements } from '../typeorm/statements.js'
import { ordersAdapter } from './orders-adapter.js'
import { Lines, Orders } from './orders-schema.js'

export async function connect (file: string): Promise<OrdersClient> {
  const { db, cut } = lossyHandle(new Database(file, { timeout: 0 }))
  db.pragma('synchronous = off') // for the speed of the tests
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: file,
    entities: [Orders, Lines],
    // TypeORM makes its handle with `new`, and a statement that it keeps would survive the cut.
    driver: function () { return db },
    statementCacheSize: 0
  })
  await dataSource.initialize()
  return { adapter: ordersAdapter(dataSource), ...statements, cut, close: async () => { await dataSource.destroy() } }
}
