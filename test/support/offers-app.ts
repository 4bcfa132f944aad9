import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import ifMatch, { type IfMatchRouteOptions, type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'

export interface Offer { title: string, price?: number }

/** An app, closed when the test ends. */
export function newApp (t: Test, options: FastifyServerOptions = {}): FastifyInstance {
  const app = Fastify(options)
  t.teardown(async () => { await app.close() })
  return app
}

/** An app with one collection of offers and every kind of operation on it. */
export async function offersApp (
  t: Test,
  routeOptions: IfMatchRouteOptions = {},
  prepare?: (app: FastifyInstance) => unknown,
  serverOptions: FastifyServerOptions = {}
): Promise<{ app: FastifyInstance, storage: StorageAdapter }> {
  const app = newApp(t, serverOptions)
  const storage = routeOptions.storage ?? memoryAdapter()
  await app.register(ifMatch, { storage })
  await prepare?.(app)
  addOfferRoutes(app, routeOptions)
  return { app, storage }
}

/** GET, PUT, PATCH, DELETE and POST of `/offers/:id`. */
export function addOfferRoutes (app: FastifyInstance, routeOptions: IfMatchRouteOptions | true = true): void {
  const config = { ifMatch: routeOptions }
  app.get('/offers/:id', { config }, async (request) => (await request.entity<Offer>().read()).value)
  app.put('/offers/:id', { config }, async (request, reply) => {
    const saved = await request.entity<Offer>().replace(request.body as Offer)
    return reply.code(saved.created ? 201 : 200).send(saved.value)
  })
  app.patch('/offers/:id', { config }, async (request) =>
    (await request.entity<Offer>().update((offer) => ({ ...offer, ...request.body as Partial<Offer> }))).value)
  app.delete('/offers/:id', { config }, async (request, reply) => {
    await request.entity().remove()
    return reply.code(204).send()
  })
  app.post('/offers/:id', { config }, async (request) =>
    (await request.entity<Offer>().update((offer) => ({ ...offer, price: (offer.price ?? 0) + 1 }))).value)
}

/** Stores the offer that tests begin with, past the plugin, and returns its ETag. */
export async function seed (storage: StorageAdapter, id = '1', value: unknown = { title: 'seeded' }): Promise<string> {
  const result = await storage.write(`/offers/${id}`, value, { kind: 'any' })
  if (!result.applied) throw new Error('not seeded')
  return `"${result.version}"`
}

/**
 * A storage over memory in which a step, or the answer to one that was carried out, waits for a gate that the test
 * opens: before it the write has not started, after it it is in flight.
 */
export function gatedMemory (where: 'before' | 'after' = 'before') {
  let open!: () => void
  let arrived!: () => void
  const gate = new Promise<void>((resolve) => { open = resolve })
  const arrival = new Promise<void>((resolve) => { arrived = resolve })
  let held: string | undefined
  const wait = async (operation: string): Promise<void> => {
    if (operation !== held) return
    arrived()
    await gate
  }
  const storage = memoryAdapter({
    async around (step, operation) {
      if (where === 'before') await wait(operation)
      const result = step()
      if (where === 'after') await wait(operation)
      return result
    }
  })
  /** From now on this operation waits, and no other. */
  const hold = (operation: 'read' | 'write' | 'remove'): void => { held = operation }
  return { storage, hold, arrival, open }
}
