import type { DataSource, EntityManager } from 'typeorm'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'
import { Lines, Orders } from './orders-schema.js'

type Transact = (work: (tx: EntityManager) => Promise<unknown>) => Promise<unknown>

export function ordersAdapter (
  dataSource: DataSource,
  transaction: Transact = (work) => dataSource.transaction(work)
): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: dataSource.manager,
    transaction,
    toId: orderKey.parse,
    async version (tx, { id }) {
      const lock = { mode: 'pessimistic_write' } as const
      return (await tx.findOne(Orders, { select: { id: true, rowVersion: true }, where: { id }, lock }))?.rowVersion
    },
    async read (client, { id }) {
      // find() joins the lines: one statement, so one snapshot. The tag and what it names are of one moment.
      const [order] = await client.find(Orders, {
        where: { id },
        relations: { lines: true },
        order: { lines: { position: 'ASC' } }
      })
      if (order === undefined) return undefined
      const { rowVersion: version, customer, note } = order
      const lines = order.lines.map(({ sku, quantity }) => ({ sku, quantity }))
      return { version, value: { customer, note, lines } }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      // With its columns named, because TypeORM leaves an id out that the database can make.
      const insert = tx.createQueryBuilder().insert().into(Orders, ['id', 'customer', 'note'])
      if (isNew) await insert.values({ id, customer, note }).execute()
      else await tx.update(Orders, { id }, { customer, note })
      await tx.delete(Lines, { orderId: id })
      await tx.insert(Lines, lines.map((line, position) => ({ orderId: id, position, ...line })))
    },
    async remove (tx, { id }) {
      await tx.delete(Orders, { id })
    }
  })
}
