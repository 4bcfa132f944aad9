import type { FastifyInstance } from 'fastify'
import type { EntityManager } from 'typeorm'
import type { Order } from '../order.js'
import { Lines } from './orders-schema.js'

export function addQuantities (app: FastifyInstance): void {
  app.patch<{ Params: { id: number }, Body: { sku: string, quantity: number } }>('/orders/:id', {
    config: { ifMatch: true }
  }, async (request) => {
    const { params: { id }, body: { sku, quantity } } = request
    const { value } = await request.entity<Order>().transaction(async (tx: EntityManager, current) => {
      const { affected } = await tx.update(Lines, { orderId: id, sku }, { quantity })
      if (affected === 0) throw Object.assign(new Error('The order has no such line.'), { statusCode: 422 })
      return await current.value()
    })
    return value
  })
}
