import { and, eq } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import type { Order } from '../order.js'
import type { Tx } from './orders-adapter.js'
import { lines } from './orders-schema.js'

const schema = {
  params: { type: 'object', properties: { id: { type: 'integer' } } },
  body: {
    type: 'object',
    required: ['sku', 'quantity'],
    properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } }
  }
}

export function addQuantities (app: FastifyInstance): void {
  app.patch<{ Params: { id: number }, Body: { sku: string, quantity: number } }>('/orders/:id', {
    config: { ifMatch: true },
    schema
  }, async (request) => {
    const { params: { id }, body: { sku, quantity } } = request
    const { value } = await request.entity<Order>().transaction(async (tx: Tx, current) => {
      const line = and(eq(lines.orderId, id), eq(lines.sku, sku))
      const [{ affectedRows }] = await tx.update(lines).set({ quantity }).where(line)
      if (affectedRows === 0) throw Object.assign(new Error('The order has no such line.'), { statusCode: 422 })
      return await current.value()
    })
    return value
  })
}
