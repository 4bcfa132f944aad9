import type { TransactionAdapter } from 'fastify-if-match/storage'
import { transactionsAdapter, wholeTransaction } from 'fastify-if-match/storage/transactions'
import { orderKey, type Order } from '../order.js'
import type { Prisma, PrismaClient } from './generated/client.js'

export type Tx = Prisma.TransactionClient

// Two statements: the order, and then its lines.
const find = (client: Tx, id: number) => client.order.findUnique({
  where: { id },
  include: { lines: { select: { sku: true, quantity: true }, orderBy: { position: 'asc' } } }
})

export function ordersAdapter (prisma: PrismaClient): TransactionAdapter<Order> {
  return transactionsAdapter<Order, PrismaClient, Tx, { id: number }>({
    client: prisma,
    transaction: wholeTransaction(
      (work) => prisma.$transaction(work, { isolationLevel: 'ReadCommitted' }),
      (tx: Tx, text) => tx.$executeRawUnsafe(text)
    ),
    toId: orderKey.parse,
    async version (tx, { id }) {
      const [row] = await tx.$queryRaw<{ row_version: string }[]>`
        SELECT row_version FROM orders WHERE id = ${id} FOR UPDATE`
      return row?.row_version
    },
    async read (client, { id }) {
      const order = client === prisma
        ? await prisma.$transaction((tx) => find(tx, id), { isolationLevel: 'RepeatableRead' }) // of one moment
        : await find(client, id)
      return order && {
        version: order.rowVersion,
        value: { customer: order.customer, note: order.note, lines: order.lines }
      }
    },
    async save (tx, { id }, { customer, note, lines }, isNew) {
      const create = lines.map(({ sku, quantity }, position) => ({ position, sku, quantity }))
      if (isNew) await tx.order.create({ data: { id, customer, note, lines: { create } } })
      else await tx.order.update({ where: { id }, data: { customer, note, lines: { deleteMany: {}, create } } })
    },
    async remove (tx, { id }) {
      await tx.order.delete({ where: { id } })
    }
  })
}
