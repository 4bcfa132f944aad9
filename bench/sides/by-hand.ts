import Fastify, { type FastifyInstance } from 'fastify'
import { MissingError, StaleError } from './client-errors.js'
import type { OfferRoute } from './side.js'

/** Statements of an engine, each one round trip. */
export interface HandStore {
  read (id: string): Promise<{ version: string, json: string } | undefined>
  /**
   * Compares and writes in one statement.
   *
   * @param version undefined: whatever it is, and also where there is no entity
   * @returns the new version; undefined: it had another one
   */
  write (id: string, json: string, version: string | undefined): Promise<string | undefined>
  close (): Promise<void>
}

/** The routes as one writes them by hand: the engine's own statement in the handler, and no round trip beside it. */
export function byHandApp (store: HandStore): FastifyInstance {
  const app = Fastify()
  app.addHook('onClose', async () => { await store.close() })
  const write = async (id: string, value: object, tag: string | undefined): Promise<string> => {
    if (tag === undefined) throw new MissingError()
    const version = await store.write(id, JSON.stringify(value), tag === '*' ? undefined : tag.slice(1, -1))
    if (version === undefined) throw new StaleError()
    return `"${version}"`
  }
  app.get<OfferRoute>('/offers/:id', async (request, reply) => {
    const offer = await store.read(request.params.id)
    if (offer === undefined) return reply.code(404).send()
    const tag = `"${offer.version}"`
    reply.header('etag', tag)
    if (request.headers['if-none-match'] === tag) return reply.code(304).send()
    return JSON.parse(offer.json) as object
  })
  app.put<OfferRoute>('/offers/:id', async (request, reply) => {
    reply.header('etag', await write(request.params.id, request.body, request.headers['if-match']))
    return request.body
  })
  app.patch<OfferRoute>('/offers/:id', async (request, reply) => {
    const { id } = request.params
    const offer = await store.read(id)
    if (offer === undefined) return reply.code(404).send()
    const changed = { ...JSON.parse(offer.json) as object, ...request.body }
    reply.header('etag', await write(id, changed, request.headers['if-match']))
    return changed
  })
  return app
}
