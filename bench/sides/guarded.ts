import Fastify, { type FastifyInstance } from 'fastify'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import type { OfferRoute } from './side.js'

/** The plugin on a storage. */
export async function guardedApp (storage: StorageAdapter, precheck = true): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(ifMatch, { storage, create: 'wildcard', precheck })
  const config = { ifMatch: true }
  app.get<OfferRoute>('/offers/:id', { config }, async (request) => (await request.entity<object>().read()).value)
  app.put<OfferRoute>('/offers/:id', { config }, async (request) => {
    await request.entity().replace(request.body)
    return request.body
  })
  app.patch<OfferRoute>('/offers/:id', { config }, async (request) =>
    (await request.entity<object>().update((offer) => ({ ...offer, ...request.body }))).value)
  const early = { ifMatch: { key: '/offers/:id', notModified: 'early' } } as const
  app.get<OfferRoute>('/early/:id', { config: early }, async (request) => (await request.entity<object>().read()).value)
  const text = { ifMatch: { key: '/offers/:id' } }
  app.get<OfferRoute>('/text/:id', { config: text }, async (request, reply) =>
    reply.type('application/json').send((await request.entity().readText()).text))
  return app
}
