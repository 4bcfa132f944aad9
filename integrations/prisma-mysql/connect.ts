import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { PrismaClient } from './generated/client.js'
import { ordersAdapter, type Tx } from './orders-adapter.js'

export function connect (address: string): OrdersClient {
  const url = new URL(address)
  // How long an outage is waited for, in each operation. Default: 10 seconds.
  url.searchParams.set('acquireTimeout', '1000')
  // Otherwise a connection that was used half a second ago is taken as it is, also if it was lost since.
  url.searchParams.set('minDelayValidation', '0')
  const prisma = new PrismaClient({
    adapter: new PrismaMariaDb(url.href),
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
