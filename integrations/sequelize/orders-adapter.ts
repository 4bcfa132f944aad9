import { Transaction, type Sequelize } from 'sequelize'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'
import type { Models } from './orders-schema.js'

type Transact = (work: (tx: Transaction) => Promise<unknown>) => Promise<unknown>

export function ordersAdapter (
  db: Sequelize,
  { Orders, Lines }: Models,
  transaction: Transact = (work) => db.transaction(work)
): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: db,
    transaction,
    toId: orderKey.parse,
    async version (tx, { id }) {
      const order = await Orders.findByPk(id, { attributes: ['rowVersion'], transaction: tx, lock: tx.LOCK.UPDATE })
      return order?.rowVersion
    },
    async read (client: Sequelize | Transaction, { id }) {
      // One statement, so one snapshot: the tag and what it names are of one moment.
      const order = await Orders.findByPk(id, {
        include: { association: 'lines', attributes: ['position', 'sku', 'quantity'] },
        order: [['lines', 'position', 'ASC']],
        ...client instanceof Transaction && { transaction: client }
      })
      return order && {
        version: order.rowVersion,
        value: {
          customer: order.customer,
          note: order.note,
          lines: order.lines!.map(({ sku, quantity }) => ({ sku, quantity }))
        }
      }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      if (isNew) await Orders.create({ id, customer, note }, { transaction: tx })
      else await Orders.update({ customer, note }, { where: { id }, transaction: tx })
      await Lines.destroy({ where: { orderId: id }, transaction: tx })
      await Lines.bulkCreate(lines.map((line, position) => ({ orderId: id, position, ...line })), { transaction: tx })
    },
    async remove (tx, { id }) {
      await Orders.destroy({ where: { id }, transaction: tx })
    }
  })
}
