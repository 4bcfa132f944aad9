import type { FastifyInstance } from 'fastify'
import type { Order } from '../order.js'
import type { Tx } from './orders-adapter.js'

export function addQuantities (app: FastifyInstance): void {
  app.patch<{ Params: { id: string }, Body: { sku: string, quantity: number } }>('/orders/:id', {
    config: { ifMatch: true }
  }, async (request) => {
    const { sku, quantity } = request.body
    const orderId = Number(request.params.id)
    const { value } = await request.entity<Order>().transaction(async (tx: Tx, current) => {
      const { count } = await tx.line.updateMany({ where: { orderId, sku }, data: { quantity } })
      if (count === 0) throw Object.assign(new Error('The order has no such line.'), { statusCode: 422 })
      return await current.read()
    })
    return value
  })
}
