import { Sequelize, type Transaction } from 'sequelize'
import { until } from '../../test/support/until.js'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'
import { define } from './orders-schema.js'

export function connect (address: string): OrdersClient {
  const db = new Sequelize(address, { dialect: 'postgres', logging: false })
  const models = define(db)
  return {
    adapter: ordersAdapter(db, models),
    rename: async (transaction: Transaction, id: number, customer: string) =>
      await models.Orders.update({ customer }, { where: { id }, transaction }),
    addLine: async (transaction: Transaction, orderId: number, position: number, line: Line) =>
      await models.Lines.create({ orderId, position, ...line }, { transaction }),
    // An attempt to connect that was refused rejects whatever waits for a connection by then.
    recovered: async () => await until('no attempt to connect is under way', () => isQuiet(db)),
    close: async () => { await db.close() }
  }
}

function isQuiet (db: Sequelize): boolean {
  const { pool } = db.connectionManager as unknown as { pool: { size: number, available: number, using: number } }
  return pool.size === pool.available + pool.using
}
