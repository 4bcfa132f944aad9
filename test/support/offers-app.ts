import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions, type LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import ifMatch, { type IfMatchRouteOptions, type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { barrier } from './barrier.js'

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

const METHODS_WITH_BODY = ['PUT', 'PATCH', 'POST']

/** Sends a request, such as `'PUT /offers/1'`. Without a body, a method that usually has one sends `{}`. */
export async function send (
  app: FastifyInstance,
  request: string,
  headers: Record<string, unknown> = {},
  body?: object | string
): Promise<LightMyRequestResponse> {
  const [method, url] = request.split(' ') as ['GET', string]
  const payload = body ?? (METHODS_WITH_BODY.includes(method) ? {} : undefined)
  return await app.inject({ method, url, headers: headers as Record<string, string>, ...(payload && { payload }) })
}

/** Sends it, and gives only the status. */
export async function statusOf (...request: Parameters<typeof send>): Promise<number> {
  return (await send(...request)).statusCode
}

/** Lets the app listen on a port of its own, which is returned. */
export async function listen (app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

/** Stores the offer that tests begin with, past the plugin, and returns its ETag. */
export async function seed (storage: StorageAdapter, id = '1', value: unknown = { title: 'seeded' }): Promise<string> {
  const result = await storage.write(`/offers/${id}`, value, { kind: 'any' })
  if (!result.applied) throw new Error('not seeded')
  return `"${result.version}"`
}

/** The ETag of an offer as it is stored, if it is there. */
export async function tagOf (storage: StorageAdapter, id = '1'): Promise<string | undefined> {
  const stored = await storage.read(`/offers/${id}`)
  return stored && `"${stored.version}"`
}

/** The value of an offer as it is stored, if it is there. */
export async function valueOf (storage: StorageAdapter, id = '1'): Promise<unknown> {
  return (await storage.read(`/offers/${id}`))?.value
}

/**
 * A storage over memory in which operations wait for a gate that the test opens: before their step, so that a write has
 * not started, or after it, so that it is in flight.
 */
export function gatedMemory (where: 'before' | 'after' = 'before') {
  const gate = barrier()
  const arrival = barrier()
  let held: string | undefined
  const wait = async (operation: string): Promise<void> => {
    if (operation !== held) return
    arrival.open()
    await gate.opened
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
  return { storage, hold, arrival: arrival.opened, open: gate.open }
}
