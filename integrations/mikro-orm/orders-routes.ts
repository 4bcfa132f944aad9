import type { EntityManager } from '@mikro-orm/postgresql'
import type { FastifyInstance } from 'fastify'
import type { Order } from '../order.js'
import { Orders } from './orders-schema.js'

export function addQuantities (app: FastifyInstance): void {
  app.patch<{ Params: { id: number }, Body: { sku: string, quantity: number } }>('/orders/:id', {
    config: { ifMatch: true }
  }, async (request) => {
    const { params: { id }, body: { sku, quantity } } = request
    const { value } = await request.entity<Order>().transaction(async (tx: EntityManager, current) => {
      const order = await tx.findOneOrFail(Orders, { id }, { populate: ['lines'] })
      const line = order.lines.find((line) => line.sku === sku)
      if (line === undefined) throw Object.assign(new Error('The order has no such line.'), { statusCode: 422 })
      line.quantity = quantity
      return await current.value()
    })
    return value
  })
}
