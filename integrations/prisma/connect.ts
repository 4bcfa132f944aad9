import { PrismaPg } from '@prisma/adapter-pg'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { PrismaClient } from './generated/client.js'
import { ordersAdapter, type Tx } from './orders-adapter.js'

export function connect (connectionString: string): OrdersClient {
  const prisma = new PrismaClient({
    adapter: new PrismaPg({ connectionString }),
    transactionOptions: { maxWait: 10_000, timeout: 15_000 }
  })
  return {
    adapter: ordersAdapter(prisma),
    rename: async (tx: Tx, id: number, customer: string) =>
      await tx.order.update({ where: { id }, data: { customer } }),
    addLine: async (tx: Tx, orderId: number, position: number, line: Line) =>
      await tx.line.create({ data: { orderId, position, ...line } }),
    close: async () => { await prisma.$disconnect() }
  }
}
