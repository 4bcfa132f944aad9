import Fastify, { type FastifyInstance } from 'fastify'
import { MissingError, StaleError } from './client-errors.js'
import type { OfferRoute } from './side.js'

/** The routes as one writes them by hand, on a Map of objects. The comparison and the write have no await between. */
export async function handApp (): Promise<FastifyInstance> {
  const app = Fastify()
  const offers = new Map<string, { tag: string, value: object }>()
  let version = 0
  const compare = (tag: string | undefined, current: string | undefined): void => {
    if (tag === undefined) throw new MissingError()
    if (tag !== '*' && tag !== current) throw new StaleError()
  }
  const store = (id: string, value: object): string => {
    const tag = `"${++version}"`
    offers.set(id, { tag, value })
    return tag
  }
  app.get<OfferRoute>('/offers/:id', async (request, reply) => {
    const offer = offers.get(request.params.id)
    if (offer === undefined) return reply.code(404).send()
    reply.header('etag', offer.tag).header('cache-control', 'no-cache')
    if (request.headers['if-none-match'] === offer.tag) return reply.code(304).send()
    return offer.value
  })
  app.put<OfferRoute>('/offers/:id', async (request, reply) => {
    const { id } = request.params
    compare(request.headers['if-match'], offers.get(id)?.tag)
    // A copy: the handler may go on to change the body.
    reply.header('etag', store(id, JSON.parse(JSON.stringify(request.body)) as object))
    return request.body
  })
  app.patch<OfferRoute>('/offers/:id', async (request, reply) => {
    const { id } = request.params
    const current = offers.get(id)
    compare(request.headers['if-match'], current?.tag)
    const changed = { ...current?.value, ...request.body }
    reply.header('etag', store(id, changed))
    return changed
  })
  return app
}
