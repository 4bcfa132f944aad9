import Fastify, { type FastifyInstance } from 'fastify'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'

export interface Offer { title: string, price: number }

export async function buildApp (storage: StorageAdapter): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(ifMatch, { storage })
  const config = { ifMatch: true }
  app.get('/offers/:id', { config }, async (request) => (await request.entity<Offer>().read()).value)
  app.put<{ Body: Offer }>('/offers/:id', { config }, async (request) =>
    (await request.entity<Offer>().replace(request.body)).value)
  app.post('/offers/:id/raise', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) =>
    (await request.entity<Offer>().update((offer) => ({ ...offer, price: offer.price + 1 }))).value)
  return app
}
