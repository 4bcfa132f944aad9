import Fastify, { type FastifyInstance } from 'fastify'
import { MissingError, StaleError } from './client-errors.js'
import type { OfferRoute } from './side.js'

/**
 * The least that gives the same answers: a Map, no tags, no comparison. Its clients send `*` where those of the others
 * send a tag, so any other tag is a stale one.
 */
export async function bareApp (): Promise<FastifyInstance> {
  const app = Fastify()
  const offers = new Map<string, object>()
  const compare = (tag: string | undefined): void => {
    if (tag === undefined) throw new MissingError()
    if (tag !== '*') throw new StaleError()
  }
  app.get<OfferRoute>('/offers/:id', async (request, reply) => {
    if (request.headers['if-none-match'] === '*') return reply.code(304).send()
    return offers.get(request.params.id)
  })
  app.put<OfferRoute>('/offers/:id', async (request) => {
    compare(request.headers['if-match'])
    offers.set(request.params.id, request.body)
    return request.body
  })
  app.patch<OfferRoute>('/offers/:id', async (request) => {
    compare(request.headers['if-match'])
    const changed = { ...offers.get(request.params.id), ...request.body }
    offers.set(request.params.id, changed)
    return changed
  })
  return app
}
