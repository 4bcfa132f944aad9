import type { FastifyInstance } from 'fastify'
import type { Transaction } from 'sequelize'
import type { Order } from '../order.js'
import type { Models } from './orders-schema.js'

const schema = {
  params: { type: 'object', properties: { id: { type: 'integer' } } },
  body: {
    type: 'object',
    required: ['sku', 'quantity'],
    properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } }
  }
}

export function addQuantities (app: FastifyInstance, { Lines }: Models): void {
  app.patch<{ Params: { id: number }, Body: { sku: string, quantity: number } }>('/orders/:id', {
    config: { ifMatch: true },
    schema
  }, async (request) => {
    const { params: { id: orderId }, body: { sku, quantity } } = request
    const { value } = await request.entity<Order>().transaction(async (transaction: Transaction, current) => {
      const [changed] = await Lines.update({ quantity }, { where: { orderId, sku }, transaction })
      if (changed === 0) throw Object.assign(new Error('The order has no such line.'), { statusCode: 422 })
      return await current.value()
    })
    return value
  })
}
