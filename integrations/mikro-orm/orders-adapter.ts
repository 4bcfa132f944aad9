import { LockMode, type EntityManager, type MikroORM } from '@mikro-orm/postgresql'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'
import { Lines, Orders } from './orders-schema.js'

export function ordersAdapter (orm: MikroORM): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: orm.em,
    // A fork begins without entities: what the request read before is no longer what is stored.
    transaction: (work: (tx: EntityManager) => Promise<unknown>) => orm.em.fork().transactional(work),
    toId: orderKey.parse,
    async version (tx, { id }) {
      await tx.flush() // what the work changed has to be written before its version is looked at
      const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true }
      return (await tx.findOne(Orders, { id }, { fields: ['rowVersion'], ...lock }))?.rowVersion
    },
    async read (em, { id }) {
      if (em.isInTransaction()) await em.flush()
      // Joined, so one statement and one snapshot: the tag and what it names are of one moment.
      const how = { populate: ['lines'], strategy: 'joined', disableIdentityMap: true } as const
      const order = await em.findOne(Orders, { id }, how)
      if (order === null) return undefined
      const { rowVersion: version, customer, note } = order
      const lines = order.lines.map(({ sku, quantity }) => ({ sku, quantity }))
      return { version, value: { customer, note, lines } }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      if (isNew) await tx.insert(Orders, { id, customer, note })
      else await tx.nativeUpdate(Orders, { id }, { customer, note })
      await tx.nativeDelete(Lines, { order: id })
      await tx.insertMany(Lines, lines.map((line, position) => ({ order: id, position, ...line })))
    },
    async remove (tx, { id }) {
      await tx.nativeDelete(Orders, { id })
    }
  })
}
