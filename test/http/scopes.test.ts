import t from 'tap'
import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, seed, send, statusOf, valueOf } from '../support/offers-app.js'

const CREATE = { 'if-none-match': '*' }
const config = { ifMatch: true }
const read = async (request: FastifyRequest): Promise<unknown> => (await request.entity().read()).value
const replace = async (request: FastifyRequest): Promise<unknown> =>
  (await request.entity().replace(request.body)).value

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
    t.equal(await statusOf(app, `PUT ${url}`), missing)
    t.equal(await statusOf(app, `PUT ${url}`, CREATE), 201)
  }
  t.same((await outer.list('')).items.map(({ key }) => key), ['/offers/1'])
  t.same((await inner.list('')).items.map(({ key }) => key), ['/inner/deeper/offers/1', '/inner/offers/1'])
})

await t.test('sibling scopes with a storage each do not see each other', async (t) => {
  const app = newApp(t)
  for (const prefix of ['/0', '/1']) {
    await app.register(async (scope) => {
      await scope.register(ifMatch, { storage: memoryAdapter() })
      addOfferRoutes(scope, { key: '/offers/:id' })
    }, { prefix })
  }
  t.equal(await statusOf(app, 'PUT /0/offers/1', CREATE), 201)
  t.equal(await statusOf(app, 'GET /1/offers/1'), 404)
  t.equal(await statusOf(app, 'GET /0/offers/1'), 200)
})

await t.test('registered twice in one scope, the app does not boot (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const again = async (): Promise<void> => { await app.register(ifMatch, { storage: memoryAdapter() }) }
  await t.rejects(again, { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /twice/ })
})

await t.test('another plugin that decorates requests with "entity" is not silently replaced', async (t) => {
  const app = newApp(t)
  app.decorateRequest('entity' as never, null as never)
  const register = async (): Promise<void> => { await app.register(ifMatch, { storage: memoryAdapter() }) }
  await t.rejects(register, { code: 'FST_ERR_DEC_ALREADY_PRESENT' })
})

await t.test('global: every state-changing route is guarded, reads are not, and false opts out', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter(), global: true })
  app.put('/offers/:id', replace)
  app.post('/login', { config: { ifMatch: false } }, async () => ({ in: true }))
  app.get('/offers/:id', async () => ({ plain: true }))
  app.route({
    method: ['GET', 'POST'],
    url: '/mixed',
    handler: async (request) =>
      request.method === 'GET' ? { plain: true } : (await request.entity().update((value) => value)).value
  })
  t.equal(await statusOf(app, 'PUT /offers/1'), 400)
  t.equal(await statusOf(app, 'PUT /offers/1', CREATE), 200)
  t.same((await send(app, 'POST /login')).json(), { in: true })
  const response = await send(app, 'GET /offers/1', { 'if-match': 'malformed' })
  t.same([response.statusCode, response.headers.etag], [200, undefined])
  t.same((await app.inject('/mixed')).json(), { plain: true })
  t.equal(await statusOf(app, 'POST /mixed'), 400)
})

await t.test('HEAD twins answer as GET does, without the body (RFC 9110 9.3.2)', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  addOfferRoutes(app)
  const { headers: { etag } } = await send(app, 'PUT /offers/1', CREATE, { title: 'a' })
  for (const [id, headers, status] of [
    [1, {}, 200],
    [1, { 'if-match': '"x"' }, 412],
    [1, { 'if-none-match': etag }, 304],
    [2, {}, 404],
    [1, { 'if-match': '' }, 400]
  ] as const) {
    const get = await send(app, `GET /offers/${id}`, headers)
    const head = await send(app, `HEAD /offers/${id}`, headers)
    t.equal(head.statusCode, status)
    t.equal(head.body, '')
    for (const name of ['etag', 'cache-control', 'content-type', 'content-length']) {
      t.equal(head.headers[name], get.headers[name], `${status}: ${name}`)
    }
  }
})

await t.test('a route with several methods treats each in its way', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.route({
    method: ['GET', 'PUT', 'DELETE'],
    url: '/offers/:id',
    config,
    async handler (request, reply) {
      if (request.method === 'GET' || request.method === 'HEAD') return await read(request)
      if (request.method === 'PUT') return await replace(request)
      await request.entity().remove()
      return await reply.code(204).send()
    }
  })
  const { headers: { etag } } = await send(app, 'PUT /offers/1', CREATE)
  t.equal((await send(app, 'GET /offers/1')).headers.etag, etag)
  t.equal((await send(app, 'HEAD /offers/1')).headers.etag, etag)
  t.equal(await statusOf(app, 'DELETE /offers/1'), 400)
  t.equal(await statusOf(app, 'DELETE /offers/1', { 'if-match': etag }), 204)
})

await t.test('a write to the own entity needs a strategy even if the method is safe', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  await app.register(ifMatch, { storage })
  app.route({
    method: ['GET', 'DELETE'],
    url: '/offers/:id',
    config,
    async handler (request) {
      if (request.method === 'GET') return await read(request)
      return await request.entity().remove() // HEAD gets here as well
    }
  })
  await seed(storage)
  t.equal(await statusOf(app, 'HEAD /offers/1'), 400)
  t.ok(await valueOf(storage))
})

await t.test('hook arrays that routes share by spread, and options that they share, are not changed', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const ran: string[] = []
  const shared = {
    preHandler: [async () => { ran.push('shared') }],
    onSend: [],
    config: {}
  } satisfies RouteShorthandOptions
  app.put('/guarded/:id', { ...shared, config }, replace)
  app.put('/plain/:id', shared, async () => ({ plain: true }))
  app.get('/guarded/:id', { ...shared, config }, read)
  await app.ready()
  t.equal(shared.preHandler.length, 1)
  t.same(shared.onSend, [])
  t.same(Reflect.ownKeys(shared.config), [])
  t.same((await send(app, 'PUT /plain/1')).json(), { plain: true })
  t.equal(await statusOf(app, 'PUT /guarded/1'), 400)
  t.equal(await statusOf(app, 'HEAD /guarded/1'), 404)
  t.equal(ran.length, 3)
})

await t.test('a single hook function of a route is kept', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.get('/offers/:id', {
    config: { ifMatch: { precheck: false } },
    onRequest: async (_request, reply) => { reply.header('x-own', '1') }
  }, async () => ({}))
  t.equal((await app.inject('/offers/1')).headers['x-own'], '1')
})

await t.test('a route at the root of a prefix answers with and without the slash, as one entity', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  await app.register(async (scope) => {
    scope.put('/', { config }, replace)
    scope.get('/', { config }, read)
  }, { prefix: '/settings/:id' })
  const put = await send(app, 'PUT /settings/1', CREATE)
  t.equal(put.statusCode, 200)
  t.equal((await app.inject('/settings/1/')).headers.etag, put.headers.etag)
  t.equal(await statusOf(app, 'PUT /settings/1/'), 400)
})
