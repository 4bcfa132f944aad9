import { MikroORM, type EntityManager } from '@mikro-orm/postgresql'
import type { Line } from '../order.js'
import type { OrdersClient } from '../support/orders/client.js'
import { ordersAdapter } from './orders-adapter.js'
import { Lines, Orders } from './orders-schema.js'

export async function connect (clientUrl: string): Promise<OrdersClient> {
  const orm = await MikroORM.init({ clientUrl, entities: [Orders, Lines] })
  return {
    adapter: ordersAdapter(orm),
    // Changes of entities, which MikroORM sends when it flushes.
    rename: async (tx: EntityManager, id: number, customer: string) => {
      (await tx.findOneOrFail(Orders, { id })).customer = customer
    },
    addLine: async (tx: EntityManager, id: number, position: number, line: Line) => {
      tx.create(Lines, { order: id, position, ...line }, { persist: true })
    },
    close: async () => { await orm.close() }
  }
}
