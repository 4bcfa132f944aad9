import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { TransactionAdapter } from 'fastify-if-match'
import { newApp } from '../../../test/support/offers-app.js'
import type { Order } from '../../order.js'
import { addOrders } from './app.js'

/** The handler that the page of a client shows, on an order that is there and has two lines. */
export async function handlerCase (
  t: Test,
  adapter: TransactionAdapter<Order>,
  key: string,
  addQuantities: (app: FastifyInstance) => void
): Promise<void> {
  const app = newApp(t)
  await addOrders(app, { adapter, rename: async () => {}, addLine: async () => {}, close () {} })
  addQuantities(app)
  const before = await app.inject(key)
  const { lines: [first, ...rest], ...order } = before.json<Order>()
  const patch = async (payload: object, tag: unknown) =>
    await app.inject({ method: 'PATCH', url: key, headers: { 'if-match': String(tag) }, payload })
  const line = { sku: first!.sku, quantity: first!.quantity + 1 }
  const answer = await patch(line, before.headers.etag)
  t.same([answer.statusCode, answer.json()], [200, { ...order, lines: [line, ...rest] }])
  t.equal((await patch(line, before.headers.etag)).statusCode, 412)
  t.equal((await patch({ ...line, sku: 'none' }, answer.headers.etag)).statusCode, 422)
  t.equal((await app.inject(key)).headers.etag, answer.headers.etag)
}
