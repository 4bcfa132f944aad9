import type { FastifyInstance, FastifyRequest } from 'fastify'
import ifMatch from 'fastify-if-match'
import type { Order } from '../../order.js'
import type { OrdersClient } from './client.js'

/** What the route `POST /orders/:id` does inside of the transaction. What it gives is the answer. */
export type OrderWork = (tx: any, id: number, request: FastifyRequest) => Promise<unknown>

/** GET, PUT and DELETE of an order, and a POST that runs the work. */
export async function addOrders (
  app: FastifyInstance,
  { adapter }: OrdersClient,
  work: OrderWork = async () => {}
): Promise<void> {
  await app.register(ifMatch, { storage: adapter })
  const config = { ifMatch: true }
  const order = { type: 'object', required: ['customer', 'note', 'lines'] }
  app.get('/orders/:id', { config }, async (request) => (await request.entity<Order>().read()).value)
  app.put('/orders/:id', { config, schema: { body: order } }, async (request, reply) => {
    const saved = await request.entity<Order>().replace(request.body as Order)
    return reply.code(saved.created ? 201 : 200).send(saved.value)
  })
  app.delete('/orders/:id', { config }, async (request, reply) => {
    await request.entity().remove()
    return reply.code(204).send()
  })
  app.post<{ Params: { id: number } }>('/orders/:id', {
    config,
    schema: { params: { type: 'object', properties: { id: { type: 'integer' } } } }
  }, async (request) => (await request.entity<Order>().transaction(async (tx, current) => {
    await work(tx, request.params.id, request)
    return await current.value()
  })).value)
}
