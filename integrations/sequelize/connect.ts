import { Sequelize, type Transaction } from 'sequelize'
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
    close: async () => { await db.close() }
  }
}
