import { DataTypes, Sequelize, Transaction } from 'sequelize'
import { until } from '../../test/support/until.js'
import type { Line } from '../order.js'
import { ordersAdapter } from '../sequelize/orders-adapter.js'
import { define, type Models } from '../sequelize/orders-schema.js'
import type { OrdersClient } from '../support/orders/client.js'

const { READ_COMMITTED } = Transaction.ISOLATION_LEVELS

export function connect (address: string): OrdersClient & { models: Models } {
  // The dialect is that of the address. An update counts the rows that matched, and not those alone that changed.
  const ofMariadb = address.replace(/^mysql:/, 'mariadb:')
  const db = new Sequelize(ofMariadb, { logging: false, dialectOptions: { foundRows: true } })
  const models = define(db, DataTypes.CHAR(36))
  return {
    models,
    adapter: ordersAdapter(db, models, (work) => db.transaction({ isolationLevel: READ_COMMITTED }, work)),
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
