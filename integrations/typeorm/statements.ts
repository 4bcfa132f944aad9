import type { EntityManager } from 'typeorm'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'

/** Two statements inside of a transaction, as handlers have them. */
export const statements: Pick<OrdersClient, 'rename' | 'addLine'> = {
  rename: async (tx: EntityManager, id: number, customer: string) => await tx.update('orders', { id }, { customer }),
  addLine: async (tx: EntityManager, id: number, position: number, line: Line) =>
    await tx.insert('lines', { orderId: id, position, ...line })
}
