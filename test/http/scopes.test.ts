import t from 'tap'
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp } from '../support/offers-app.js'

const CREATE = { 'if-none-match': '*' }

await t.test('the nearest registration wins: nested scopes with two storages and other options', async (t) => {
  const outer = memoryAdapter()
  const inner = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage: outer, missing: 428 })
  addOfferRoutes(app)
  await app.register(async (scope) => {
    await scope.register(ifMatch, { storage: inner })
    addOfferRoutes(scope)
    await scope.register(async (deeper: FastifyInstance) => { addOfferRoutes(deeper) }, { prefix: '/deeper' })
  }, { prefix: '/inner' })
  for (const [url, missing] of [
    ['/offers/1', 428],
    ['/inner/offers/1', 400],
    ['/inner/deeper/offers/1', 400]
  ] as const) {
    t.equal((await app.inject({ method: 'PUT', url, payload: {} })).statusCode, missing)
    t.equal((await app.inject({ method: 'PUT', url, headers: CREATE, payload: { url } })).statusCode, 201)
  }
  t.same((await outer.list!('')).items.map(({ key }) => key), ['/offers/1'])
  t.same((await inner.list!('')).items.map(({ key }) => key), ['/inner/deeper/offers/1', '/inner/offers/1'])
})

await t.test('sibling scopes with a storage each do not see each other', async (t) => {
  const app = newApp(t)
  const storages = [memoryAdapter(), memoryAdapter()]
  for (const [at, storage] of storages.entries()) {
    await app.register(async (scope) => {
      await scope.register(ifMatch, { storage })
      addOfferRoutes(scope, { key: '/offers/:id' })
    }, { prefix: `/${at}` })
  }
  t.equal((await app.inject({ method: 'PUT', url: '/0/offers/1', headers: CREATE, payload: {} })).statusCode, 201)
  t.equal((await app.inject('/1/offers/1')).statusCode, 404)
  t.equal((await app.inject('/0/offers/1')).statusCode, 200)
})

await t.test('registered twice in one scope, the app does not boot (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  await t.rejects(
    async () => {
      await app.register(ifMatch, { storage: memoryAdapter() })
    },
    { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /twice/ }
  )
})

await t.test('another plugin that decorates requests with "entity" is not silently replaced', async (t) => {
  const app = newApp(t)
  app.decorateRequest('entity' as never, null as never)
  await t.rejects(
    async () => {
      await app.register(ifMatch, { storage: memoryAdapter() })
    },
    { code: 'FST_ERR_DEC_ALREADY_PRESENT' }
  )
})

await t.test('global: every state-changing route is guarded, reads are not, and false opts out', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  await app.register(ifMatch, { storage, global: true })
  app.put('/offers/:id', async (request) => (await request.entity().replace(request.body)).value)
  app.post('/login', { config: { ifMatch: false } }, async () => ({ in: true }))
  app.get('/offers/:id', async () => ({ plain: true }))
  app.route({
    method: ['GET', 'POST'],
    url: '/mixed',
    handler: async (request) =>
      request.method === 'GET' ? { plain: true } : (await request.entity().update((value) => value)).value
  })
  t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })).statusCode, 400)
  t.equal((await app.inject({ method: 'PUT', url: '/offers/1', headers: CREATE, payload: {} })).statusCode, 200)
  t.same((await app.inject({ method: 'POST', url: '/login' })).json(), { in: true })
  const read = await app.inject({ url: '/offers/1', headers: { 'if-match': 'malformed' } })
  t.same([read.statusCode, read.headers.etag], [200, undefined])
  t.same((await app.inject('/mixed')).json(), { plain: true })
  t.equal((await app.inject({ method: 'POST', url: '/mixed' })).statusCode, 400)
})

await t.test('HEAD twins answer as GET does, without the body (R52)', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  addOfferRoutes(app)
  const {
    headers: { etag }
  } = await app.inject({ method: 'PUT', url: '/offers/1', headers: CREATE, payload: { title: 'a' } })
  const send = async (method: 'GET' | 'HEAD', id: number, headers = {}) =>
    await app.inject({ method, url: `/offers/${id}`, headers })
  for (const [id, headers, status] of [
    [1, {}, 200],
    [1, { 'if-match': '"x"' }, 412],
    [1, { 'if-none-match': etag }, 304],
    [2, {}, 404],
    [1, { 'if-match': '' }, 400]
  ] as const) {
    const get = await send('GET', id, headers)
    const head = await send('HEAD', id, headers)
    t.equal(head.statusCode, status)
    t.equal(head.body, '')
    for (const name of ['etag', 'cache-control', 'content-type', 'content-length']) { t.equal(head.headers[name], get.headers[name], `${status}: ${name}`) }
  }
})

await t.test('a route with several methods deals with each in its way', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.route({
    method: ['GET', 'PUT', 'DELETE'],
    url: '/offers/:id',
    config: { ifMatch: true },
    async handler (request, reply) {
      const entity = request.entity()
      if (request.method === 'GET' || request.method === 'HEAD') return (await entity.read()).value
      if (request.method === 'PUT') return (await entity.replace(request.body)).value
      await entity.remove()
      return await reply.code(204).send()
    }
  })
  const put = await app.inject({ method: 'PUT', url: '/offers/1', headers: CREATE, payload: { a: 1 } })
  t.equal((await app.inject('/offers/1')).headers.etag, put.headers.etag)
  t.equal((await app.inject({ method: 'HEAD', url: '/offers/1' })).headers.etag, put.headers.etag)
  t.equal((await app.inject({ method: 'DELETE', url: '/offers/1' })).statusCode, 400)
  t.equal(
    (await app.inject({ method: 'DELETE', url: '/offers/1', headers: { 'if-match': put.headers.etag as string } }))
      .statusCode,
    204
  )
})

await t.test('a write to the own entity asks for a strategy even where the method is safe (R1)', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  await app.register(ifMatch, { storage })
  app.route({
    method: ['GET', 'DELETE'],
    url: '/offers/:id',
    config: { ifMatch: true },
    async handler (request) {
      if (request.method === 'GET') return (await request.entity().read()).value
      return await request.entity().remove() // which HEAD reaches as well
    }
  })
  await storage.write('/offers/1', {}, { kind: 'any' })
  t.equal((await app.inject({ method: 'HEAD', url: '/offers/1' })).statusCode, 400)
  t.ok(await storage.read('/offers/1'))
})

await t.test('hook arrays that routes share by spread, and options that they share, are not changed', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const ran: string[] = []
  const shared = {
    preHandler: [
      async () => {
        ran.push('shared')
      }
    ],
    onSend: [],
    config: {}
  } satisfies RouteShorthandOptions
  app.put(
    '/guarded/:id',
    { ...shared, config: { ifMatch: true } },
    async (request) => (await request.entity().replace(request.body)).value
  )
  app.put('/plain/:id', shared, async () => ({ plain: true }))
  app.get(
    '/guarded/:id',
    { ...shared, config: { ifMatch: true } },
    async (request) => (await request.entity().read()).value
  )
  await app.ready()
  t.equal(shared.preHandler.length, 1)
  t.same(shared.onSend, [])
  t.same(Reflect.ownKeys(shared.config), [])
  t.same((await app.inject({ method: 'PUT', url: '/plain/1', payload: {} })).json(), { plain: true })
  t.equal((await app.inject({ method: 'PUT', url: '/guarded/1', payload: {} })).statusCode, 400)
  t.equal((await app.inject({ method: 'HEAD', url: '/guarded/1' })).statusCode, 404)
  t.equal(ran.length, 3)
})

await t.test('a single hook function of a route is kept', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.get(
    '/offers/:id',
    {
      config: { ifMatch: { precheck: false } },
      onRequest: async (_request, reply) => {
        reply.header('x-own', '1')
      }
    },
    async () => ({})
  )
  t.equal((await app.inject('/offers/1')).headers['x-own'], '1')
})

await t.test('a route at the root of a prefix answers with and without the slash, as one entity', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  await app.register(async (scope) => {
    scope.put(
      '/',
      { config: { ifMatch: true } },
      async (request) => (await request.entity().replace(request.body)).value
    )
    scope.get('/', { config: { ifMatch: true } }, async (request) => (await request.entity().read()).value)
  }, { prefix: '/settings/:id' })
  const put = await app.inject({ method: 'PUT', url: '/settings/1', headers: CREATE, payload: { a: 1 } })
  t.equal(put.statusCode, 200)
  t.equal((await app.inject('/settings/1/')).headers.etag, put.headers.etag)
  t.equal((await app.inject({ method: 'PUT', url: '/settings/1/', payload: {} })).statusCode, 400)
})
