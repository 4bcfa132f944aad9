import { LockMode, ValidationError, type EntityManager, type MikroORM } from '@mikro-orm/postgresql'
import { errorCodes } from 'fastify-if-match'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'
import { Lines, Orders } from './orders-schema.js'

// MikroORM sends what a work changed when it flushes, which has to be before the version is looked at.
const flush = async (tx: EntityManager) => await tx.flush().catch((cause: unknown) => {
  if (!(cause instanceof ValidationError)) throw cause
  throw new errorCodes.FST_IF_MATCH_STORAGE_FAULT('MikroORM does not write an entity', { cause })
})

export function ordersAdapter (orm: MikroORM): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: orm.em,
    // A fork, for it begins without the entities that the request has read before the lock.
    transaction: (work: (tx: EntityManager) => Promise<unknown>) => orm.em.fork().transactional(work),
    toId: orderKey.parse,
    async version (tx, { id }) {
      await flush(tx)
      const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true }
      return (await tx.findOne(Orders, { id }, { fields: ['rowVersion'], ...lock }))?.rowVersion
    },
    async read (em, { id }) {
      if (em.isInTransaction()) await flush(em)
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
