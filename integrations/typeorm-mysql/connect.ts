import { DataSource, EntitySchema } from 'typeorm'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from '../typeorm/orders-adapter.js'
import { Lines, Orders as OrdersOfPostgres } from '../typeorm/orders-schema.js'
import { statements } from '../typeorm/statements.js'
import { inTransaction } from './in-transaction.js'

const { columns, ...orders } = OrdersOfPostgres.options
const rowVersion = { ...columns.rowVersion!, type: 'char', length: 36 } as const
const Orders = new EntitySchema({ ...orders, columns: { ...columns, rowVersion } })

export async function connect (url: string): Promise<OrdersClient> {
  const dataSource = new DataSource({ type: 'mariadb', url, entities: [Orders, Lines] })
  await dataSource.initialize()
  const adapter = ordersAdapter(dataSource, inTransaction(dataSource))
  return { adapter, ...statements, close: async () => { await dataSource.destroy() } }
}
