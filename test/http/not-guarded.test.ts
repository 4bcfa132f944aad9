import t from 'tap'
import type { FastifyReply, FastifyRequest } from 'fastify'
import ifMatch, { formatEntityTag, type Written } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, send, statusOf, tagOf, valueOf } from '../support/offers-app.js'

const MISSPELT = [
  'ifmatch', 'if-match', 'if_match', 'IfMatch', 'IFMATCH', 'ifMath', 'ifMatc', 'ifMacth', 'fiMatch', 'ifMatchs'
]
const CODE = 'FST_IF_MATCH_NOT_GUARDED'

await t.test('a route that was added before the plugin was ready is a 500 that names it (FST_IF_MATCH_NOT_GUARDED)', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  app.register(ifMatch, { storage }) // not awaited: the routes below come first
  addOfferRoutes(app)
  app.put('/options', { config: { ifMatch: { missing: 'allow' } } }, async () => 'open')
  t.equal((await send(app, 'PUT /options')).json().code, CODE)
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'POST']) {
    const response = await send(app, `${method} /offers/1`, { 'if-match': '*' })
    t.equal(response.statusCode, 500, method)
    if (method === 'HEAD') continue
    t.match(response.json(), { code: CODE, message: new RegExp(`^${method} /offers/:id is not guarded`) })
  }
  t.equal(await valueOf(storage), undefined)
})

await t.test('with global, so is every state-changing route that was added too early; other routes and 404 are not', async (t) => {
  const app = newApp(t)
  app.register(ifMatch, { storage: memoryAdapter(), global: true })
  app.post('/early', async () => 'done')
  app.post('/out', { config: { ifMatch: false } }, async () => 'done')
  app.get('/early', async () => 'read')
  t.equal((await send(app, 'POST /early')).json().code, CODE)
  t.equal(await statusOf(app, 'POST /out'), 200)
  t.equal(await statusOf(app, 'GET /early'), 200)
  t.equal(await statusOf(app, 'POST /nowhere'), 404)
})

await t.test('ifMatch where nothing reads it is refused at boot, and names the route and the place (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const wrong: Array<[options: object, place: string]> = [
    ...['ifMatch', ...MISSPELT].map((name): [object, string] => [{ [name]: true }, name]),
    ...MISSPELT.map((name): [object, string] => [{ config: { [name]: { missing: 428 } } }, `config.${name}`]),
    [{ ifMatch: false }, 'ifMatch'],
    [{ ifMatch: undefined }, 'ifMatch'],
    [{ ifMatch: true, config: { ifMatch: true } }, 'ifMatch'],
    [{ config: { ifMatch: true, ifmatch: true } }, 'config.ifmatch'],
    [{ config: { config: { ifMatch: true } } }, 'config.config.ifMatch'],
    [{ confg: { ifMatch: true } }, 'confg.ifMatch'],
    [{ options: { ifMatch: { key: '/offers/:id' } } }, 'options.ifMatch'],
    [{ schema: { ifMatch: true } }, 'schema.ifMatch']
  ]
  for (const [options, place] of wrong) {
    for (const method of ['get', 'put', 'delete'] as const) {
      const add = (): void => { app[method]('/offers/:id', options, async () => 'open') }
      t.throws(add, {
        code: 'FST_IF_MATCH_INVALID_OPTIONS',
        message: `The fastify-if-match options of ${method.toUpperCase()} /offers/:id are wrong: ` +
          `nothing reads "${place}", so the route would not be guarded. Write { config: { ifMatch: true } }.`
      })
    }
  }
  await app.register(async (scope) => {
    t.throws(() => { scope.put('/inner', { ifMatch: true } as object, async () => 'open') }, { message: /PUT \/inner/ })
  })
})

await t.test('names of other options, and headers in them, are no mistake', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.put('/offers/:id', {
    config: { ifNoneMatch: true, match: 1, nothing: null, cors: { 'if-match': true }, config: null } as object,
    schema: { headers: { type: 'object', properties: { 'if-match': { type: 'string' } } } }
  }, async () => 'open')
  for (const [index, options] of [
    { config: { isMatch: true }, isMatch: () => true },
    { conditions: { ifMatch: '"1"' }, store: { ifMatch () {} }, some: { ifMatch: undefined }, any: { ifMatch: null } },
    { schema: { ifMatch: { type: 'string' } } },
    { config: null }
  ].entries()) t.doesNotThrow(() => { app.put(`/${index}`, options as object, async () => 'open') })
  t.equal(await statusOf(app, 'PUT /offers/1'), 200)
})

await t.test('a misspelt config.ifMatch is found, too, on a route that was added before the plugin was ready', async (t) => {
  const app = newApp(t)
  app.register(ifMatch, { storage: memoryAdapter() })
  app.put('/early', { config: { ifmatch: true } as object }, async () => 'open')
  t.equal((await send(app, 'PUT /early')).json().code, CODE)
})

await t.test('global as a function decides about routes that were added too early as it does about others', async (t) => {
  const app = newApp(t)
  app.register(ifMatch, { storage: memoryAdapter(), global: ({ method, url }) => method === 'PUT' && url !== '/out' })
  for (const url of ['/early', '/out']) app.all(url, async () => 'done')
  t.equal((await send(app, 'PUT /early')).json().code, CODE)
  for (const request of ['POST /early', 'GET /early', 'PUT /out']) t.equal(await statusOf(app, request), 200, request)
})

await t.test('a route that only an outer registration saw, because the inner one came later, is refused, too', async (t) => {
  const outer = memoryAdapter()
  const inner = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage: outer })
  await app.register(async (scope) => {
    scope.register(ifMatch, { storage: inner })
    addOfferRoutes(scope)
  })
  t.equal((await send(app, 'PUT /offers/1', { 'if-none-match': '*' })).json().code, CODE)
  t.equal(await valueOf(outer), undefined)
})

await t.test('request.entity() without a key needs a guarded route; with a key it works on any', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.post('/plain', async (request) => await request.entity().read())
  app.post('/out', { config: { ifMatch: false } }, async (request) => await request.entity().read())
  app.post('/both', async (request) => {
    request.entity('/offers/1')
    return await request.entity().read()
  })
  app.post('/keyed', async (request) => (await request.entity('/offers/1').create({ a: 1 })).value)
  for (const url of ['/plain', '/out', '/both']) {
    const response = await send(app, `POST ${url}`)
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: CODE, message: new RegExp(`^POST ${url} `) })
  }
  t.equal(await statusOf(app, 'POST /keyed'), 200)
})

await t.test('a key that is no string is a mistake of the server, and the message says what to pass (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const wrong: Array<[key: unknown, kind: string]> = [
    [123, 'a number'], [null, 'null'], [{ client: 'mine' }, 'an object'], [['a'], 'an array'], [false, 'a boolean'],
    [Promise.resolve('k'), 'a promise']
  ]
  for (const [index, [key]] of wrong.entries()) {
    const handler = async (request: FastifyRequest): Promise<unknown> => await request.entity(key as string).read()
    app.get(`/plain/${index}`, handler)
    app.get(`/guarded/${index}`, { config: { ifMatch: { precheck: false } } }, handler)
  }
  for (const [index, [, kind]] of wrong.entries()) {
    for (const url of [`/plain/${index}`, `/guarded/${index}`]) {
      const response = await send(app, `GET ${url}`)
      t.match(response.json(), {
        statusCode: 500,
        code: 'FST_IF_MATCH_INVALID_OPTIONS',
        message: `of request.entity() are wrong: its first argument must be a key, a string, and is ${kind}. `
      })
    }
  }
})

await t.test('request.entity() in a hook that runs before ours is refused', async (t) => {
  const app = newApp(t)
  app.addHook('onRequest', async (request) => { request.entity('/offers/1') })
  await app.register(ifMatch, { storage: memoryAdapter() })
  addOfferRoutes(app)
  t.equal((await app.inject('/offers/1')).json().code, CODE)
})

await t.test('global and a POST on a collection: it is exempt by ifMatch: false, and its ETag is the tag that writes take', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage, global: true })
  let ids = 0
  async function create (request: FastifyRequest, reply: FastifyReply) {
    const key = `/offers/${++ids}` // as a database makes it: the plugin does not know of this write
    const written = await storage.write(key, request.body, { kind: 'absent' }) as Written
    return reply.code(201).header('location', key).header('etag', formatEntityTag(written.version)).send(request.body)
  }
  app.post('/guarded', create)
  app.post('/offers', { config: { ifMatch: false } }, create)
  addOfferRoutes(app)
  t.equal((await send(app, 'POST /guarded')).json().code, 'FST_IF_MATCH_REQUIRED')
  const fields = [{}, { 'if-match': '"x"' }, { 'if-match': '*' }, { 'if-none-match': '*' }, { 'if-match': 'flawed' }]
  for (const headers of fields) {
    const made = await send(app, 'POST /offers', headers, { title: 'a' })
    t.same([made.statusCode, made.headers.location], [201, `/offers/${ids}`])
    t.equal(made.headers.etag, await tagOf(storage, String(ids)))
    t.equal((await app.inject(`/offers/${ids}`)).headers.etag, made.headers.etag)
    const put = async () => await statusOf(app, `PUT /offers/${ids}`, { 'if-match': made.headers.etag })
    t.same([await put(), await put()], [200, 412])
  }
})

await t.test('the ETag and Location of a handler that is not guarded stay as they are, whatever it does with entities', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage, global: ['PUT', 'PATCH', 'DELETE'] })
  const mine = { location: '/mine', etag: '"mine"' }
  app.post('/offers/:id/copies', async (request, reply) => {
    const { id } = request.params as { id: string }
    const saved = await request.entity(`/offers/${id}`).create({ title: 'a' })
    await request.entity('/offers/other').read().catch(() => {})
    await request.entity(`/offers/${id}`).update((value) => value)
    return reply.code(201).headers(mine).send({ saved: saved.etag })
  })
  app.route({
    method: ['GET', 'PUT', 'DELETE'],
    url: '/offers/:id/status',
    config: { ifMatch: false },
    handler: async ({ method }, reply) => reply.code(method === 'PUT' ? 202 : 200).headers(mine).send({ status: 1 })
  })
  const answer = await send(app, 'POST /offers/1/copies')
  t.equal(answer.statusCode, 201)
  t.match(answer.headers, mine)
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
    for (const headers of [{}, { 'if-none-match': '"mine"' }, { 'if-match': '"x"' }]) {
      const response = await send(app, `${method} /offers/1/status`, headers)
      t.equal(response.statusCode, method === 'PUT' ? 202 : 200, method)
      t.match(response.headers, mine)
    }
  }
})
