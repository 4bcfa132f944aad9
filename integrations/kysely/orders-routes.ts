import type { FastifyInstance } from 'fastify'
import type { Transaction } from 'kysely'
import type { Order } from '../order.js'
import type { Schema } from './orders-schema.js'

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
    const { value } = await request.entity<Order>().transaction(async (tx: Transaction<Schema>, current) => {
      const change = tx.updateTable('lines').set({ quantity }).where('order_id', '=', id).where('sku', '=', sku)
      const { numUpdatedRows } = await change.executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) throw Object.assign(new Error('The order has no such line.'), { statusCode: 422 })
      return await current.value()
    })
    return value
  })
}
