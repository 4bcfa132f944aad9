import t from 'tap'
import type { FastifyInstance } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, offersApp, seed } from '../support/offers-app.js'

const STALE = { 'if-match': '"stale"' }

class Forbidden extends Error { statusCode = 403 }

const refuse = async (): Promise<void> => { throw new Forbidden('not yours') }

for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
  await t.test(`an app that refuses in ${hook} is heard before 400 and 412 (R45, R46, R48)`, async (t) => {
    const storage = memoryAdapter()
    const { app } = await offersApp(t, { storage }, (app) => { app.addHook(hook as 'onRequest', refuse) })
    await seed(storage)
    storage.read = storage.write = async () => { throw new Error('the storage was asked') }
    for (const headers of [{}, STALE, { 'if-match': 'malformed' }]) {
      const response = await app.inject({ method: 'PUT', url: '/offers/1', headers, payload: { title: 'sent' } })
      t.equal(response.statusCode, 403)
      t.equal(response.headers.etag, undefined, 'no tag for those who may not read')
      t.equal(response.headers['retry-after'], undefined)
    }
  })
}

await t.test('a plugin that is registered later and adds a preHandler to each route is heard before us, too', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  await app.register(ifMatch, { storage })
  await app.register(async (scope: FastifyInstance) => {
    addOfferRoutes(scope)
  })
  const pushed = newApp(t)
  await pushed.register(ifMatch, { storage })
  pushed.addHook('onRoute', (route) => { (route.preHandler as unknown[]).push(refuse) })
  addOfferRoutes(pushed)
  const replaced = newApp(t)
  await replaced.register(ifMatch, { storage })
  replaced.addHook('onRoute', (route) => { route.preHandler = [refuse] })
  addOfferRoutes(replaced)
  for (const app of [pushed, replaced]) {
    t.equal((await app.inject({ method: 'PUT', url: '/offers/1', headers: STALE, payload: {} })).statusCode, 403)
    t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })).statusCode, 403)
  }
})

await t.test('a plugin that is registered later and replaces the hooks of a route cannot remove ours', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.addHook('onRoute', (route) => {
    route.onRequest = []
    Object.assign(route, { preHandler: undefined, preSerialization: [], onSend: undefined })
  })
  addOfferRoutes(app)
  t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })).statusCode, 400)
})

await t.test('413 and 415 come before 400 and 412 (R45)', async (t) => {
  const { app, storage } = await offersApp(t)
  await seed(storage)
  for (const headers of [{}, STALE]) {
    const big = await app.inject({
      method: 'PUT',
      url: '/offers/1',
      headers: { ...headers, 'content-type': 'application/json' },
      payload: JSON.stringify('x'.repeat(2 ** 20))
    })
    t.equal(big.statusCode, 413)
    const foreign = await app.inject({
      method: 'PUT',
      url: '/offers/1',
      headers: { ...headers, 'content-type': 'text/csv' },
      payload: 'a,b'
    })
    t.equal(foreign.statusCode, 415)
  }
})

await t.test('404 of the router comes before 400', async (t) => {
  const { app } = await offersApp(t)
  t.equal((await app.inject({ method: 'PUT', url: '/nowhere', headers: STALE, payload: {} })).statusCode, 404)
})

await t.test('a body that is both stale and malformed is 400, because Fastify validates before the preHandler (R49)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put(
      '/strict/:id',
      { config: { ifMatch: { key: '/offers/:id' } }, schema: { body: { type: 'object', required: ['title'] } } },
      async (request) => {
        return (await request.entity().replace(request.body)).value
      }
    )
  })
  await seed(storage)
  t.equal((await app.inject({ method: 'PUT', url: '/strict/1', headers: STALE, payload: {} })).statusCode, 400)
  t.equal(
    (await app.inject({ method: 'PUT', url: '/strict/1', headers: STALE, payload: { title: 'fits' } })).statusCode,
    412
  )
})

await t.test('hooks of the app before and after the registration both run, and ours runs after them', async (t) => {
  const ran: string[] = []
  const app = newApp(t)
  app.addHook('preHandler', async () => { ran.push('before') })
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.addHook('preHandler', async () => { ran.push('after') })
  app.put(
    '/offers/:id',
    {
      config: { ifMatch: true },
      preHandler: async () => {
        ran.push('route')
      }
    },
    async () => {
      ran.push('handler')
    }
  )
  t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })).statusCode, 400)
  t.same(ran, ['before', 'after', 'route'])
})

await t.test('a success that an earlier hook sends is left alone: the handler was not entered', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    app.addHook('preHandler', async (request, reply) => {
      if (request.headers['x-replay'] !== undefined) { return await reply.code(200).header('etag', '"theirs"').send({ replayed: true }) }
    })
  })
  const response = await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'x-replay': '1' }, payload: {} })
  t.equal(response.statusCode, 200)
  t.same(response.json(), { replayed: true })
  t.equal(response.headers.etag, '"theirs"')
})
