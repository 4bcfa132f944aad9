import t, { type Test } from 'tap'
import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify'
import ifMatch, { type GlobalRoute } from 'fastify-if-match'
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

await t.test('a decorator "entity" of the app is not replaced: the boot fails, and names the option for another name', async (t) => {
  const refused = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /decorator "entity".* by the option "decorator"/ }
  for (const own of [null, () => 'own']) {
    const app = newApp(t)
    app.decorateRequest('entity' as never, own as never)
    await t.rejects(async () => { await app.register(ifMatch, { storage: memoryAdapter() }) }, refused)
  }
  const app = newApp(t)
  app.decorateRequest('entity' as never, null as never)
  const inScope = async (): Promise<void> => {
    await app.register(async (scope) => { await scope.register(ifMatch, { storage: memoryAdapter() }) })
  }
  await t.rejects(inScope, refused, 'of an outer scope')
  for (const decorator of ['entity', 'body', 'headers', 'toString']) {
    const register = async (): Promise<void> => {
      await newApp(t).register(ifMatch, { storage: memoryAdapter(), decorator })
    }
    if (decorator === 'entity') await register()
    else await t.rejects(register, { code: refused.code, message: new RegExp(`decorator "${decorator}"`) })
  }
})

type Named = FastifyRequest & Record<'guarded' | 'other', FastifyRequest['entity']>

await t.test('decorator: another name for request.entity(), beside a decorator "entity" of the app', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  app.decorateRequest('entity' as never, (() => 'own') as never)
  await app.register(ifMatch, { storage, decorator: 'guarded' })
  app.put('/offers/:id', { config }, async (request) => {
    const saved = await (request as Named).guarded<{ own?: string }>().replace(request.body as object)
    return { ...saved.value, own: request.entity() }
  })
  app.post('/plain', async (request) => await (request as Named).guarded().read())
  const created = await send(app, 'PUT /offers/1', CREATE, { a: 1 })
  t.same(created.json(), { a: 1, own: 'own' })
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '"x"' }), 412)
  t.match((await send(app, 'POST /plain')).json(), { message: /request\.guarded\(\) needs config\.ifMatch/ })
})

await t.test('decorator: a nested registration inherits the name, or adds one for its scope', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter(), decorator: 'guarded' })
  const names = (request: FastifyRequest): string[] => ['entity', 'guarded', 'other'].filter((name) => name in request)
  for (const [prefix, decorator] of [['/same', undefined], ['/again', 'guarded'], ['/more', 'other']] as const) {
    await app.register(async (scope) => {
      await scope.register(ifMatch, { storage: memoryAdapter(), ...decorator && { decorator } })
      scope.get('/names', async (request) => names(request))
      scope.put('/:id', { config }, async (request) =>
        (await (request as Named)[decorator ?? 'guarded']().replace(request.body)).value)
    }, { prefix })
  }
  for (const prefix of ['/same', '/again', '/more']) t.equal(await statusOf(app, `PUT ${prefix}/1`, CREATE), 200)
  t.same((await app.inject('/same/names')).json(), ['guarded'])
  t.same((await app.inject('/again/names')).json(), ['guarded'])
  t.same((await app.inject('/more/names')).json(), ['guarded', 'other'])
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

await t.test('global as a list of methods: those alone are guarded, in whatever case they are written', async (t) => {
  const app = newApp(t)
  app.addHttpMethod('MKCOL')
  await app.register(ifMatch, { storage: memoryAdapter(), global: ['put', 'DELETE', 'mkcol'] })
  app.all('/offers/:id', async (request) => {
    if (!['PUT', 'DELETE', 'MKCOL'].includes(request.method)) return { plain: true }
    return (await request.entity().replace(request.body ?? {})).value
  })
  app.delete('/out', { config: { ifMatch: false } }, async () => 'out')
  app.patch('/in/:id', { config }, replace)
  for (const [request, status] of [
    ['PUT /offers/1', 400], ['DELETE /offers/1', 400], ['MKCOL /offers/1', 400], ['PATCH /offers/1', 200],
    ['POST /offers/1', 200], ['GET /offers/1', 200], ['DELETE /out', 200], ['PATCH /in/1', 400]
  ] as const) {
    t.equal(await statusOf(app, request), status, request)
  }
  t.equal(await statusOf(app, 'PUT /offers/1', CREATE), 200)
})

await t.test('global as a list: what is no state-changing method is refused at boot, with what is allowed', async (t) => {
  for (const [global, flaw] of [
    [[], 'is empty'], [['PUT', 'GET'], 'has "GET"'], [['PUTT'], 'has "PUTT"'], [['OPTIONS'], 'has "OPTIONS"'],
    [[1 as never], 'has "1"'], [['*'], 'has "\\*"'], [['MKCOL'], 'has "MKCOL"']
  ] as Array<[string[], string]>) {
    const register = async (): Promise<void> => {
      await newApp(t).register(ifMatch, { storage: memoryAdapter(), global })
    }
    await t.rejects(register, {
      code: 'FST_IF_MATCH_INVALID_OPTIONS',
      message: new RegExp(`"global" must list methods that change state, and ${flaw}\\. This server has .*PUT`)
    })
  }
})

await t.test('global as a function is asked at boot, once for each state-changing method of a route that says nothing itself', async (t) => {
  const app = newApp(t)
  const asked: string[] = []
  await app.register(ifMatch, {
    storage: memoryAdapter(),
    global: ({ method, url, config }) => {
      asked.push(`${method} ${url} ${String((config as { area?: string }).area)}`)
      return url.startsWith('/offers/') && method !== 'POST'
    }
  })
  app.route({
    method: ['GET', 'PUT', 'POST'],
    url: '/offers/:id',
    config: { area: 'a' } as object,
    handler: async () => 'x'
  })
  app.get('/offers', async () => 'read')
  app.post('/login', async () => 'in')
  app.put('/out', { config: { ifMatch: false } }, async () => 'out')
  app.put('/in', { config }, replace)
  await app.register(async (scope) => { scope.patch('/inner', async () => 'x') }, { prefix: '/offers/deep' })
  const wanted = [
    ['PUT /offers/1', 400], ['POST /offers/1', 200], ['GET /offers/1', 200], ['POST /login', 200], ['PUT /out', 200],
    ['PUT /in', 400], ['PATCH /offers/deep/inner', 400]
  ] as const
  for (const [request, status] of wanted) t.equal(await statusOf(app, request), status, request)
  t.same(asked, [
    'PUT /offers/:id a', 'POST /offers/:id a', 'POST /login undefined', 'PATCH /offers/deep/inner undefined'
  ])
})

await t.test('global as a function that returns no boolean is refused at boot, and names the route', async (t) => {
  for (const [answer, kind] of [
    [undefined, 'undefined'], [1, 'a number'], ['PUT', 'a string'], [null, 'null'],
    [Promise.reject(new Error('x')), 'a promise']
  ] as const) {
    const app = newApp(t)
    await app.register(ifMatch, { storage: memoryAdapter(), global: (() => answer) as never })
    t.throws(() => { app.put('/offers/:id', replace) }, {
      code: 'FST_IF_MATCH_INVALID_OPTIONS',
      message: new RegExp(`PUT /offers/:id .* "global" must return true or false, and returned ${kind}`)
    })
  }
})

/** The routes of a proxy, as @fastify/http-proxy adds them. */
function addProxy (app: FastifyInstance, own: object): void {
  for (const url of ['/', '/*']) {
    app.route({ method: [...app.supportedMethods], url, config: own, handler: async () => 'upstream' })
  }
}

await t.test('a route with a wildcard, such as a proxy, is not guarded by global alone: the boot is refused', async (t) => {
  for (const global of [true, ['PATCH'], () => true]) {
    const app = newApp(t)
    await app.register(ifMatch, { storage: memoryAdapter(), global })
    const add = (path: string) => () => { app.all(path, async () => 'x') }
    for (const path of ['/*', '/files/*', '/offers/:id/*', '*']) {
      t.throws(add(path), {
        code: 'FST_IF_MATCH_INVALID_OPTIONS',
        message: /wildcard.*"global" alone.*config: { ifMatch: false }.*config: { ifMatch: true }/
      })
    }
    const proxied = (): void => { app.all('/*', { constraints: { host: 'a.example' } }, async () => 'x') }
    t.throws(proxied, { message: /wildcard/ }, 'which is said first')
    add('/numbers/:id(^\\d*)')()
    app.get('/*', async () => 'static')
    app.options('*', async () => 'preflight')
    app.put('/docs/*', { config }, replace)
    t.equal(await statusOf(app, 'PUT /docs/a/b', CREATE), 200)
    t.same([await statusOf(app, 'GET /x'), await statusOf(app, 'OPTIONS /x')], [200, 200])
  }
})

await t.test('a proxy in the scope of global opts out by its config, or by the function', async (t) => {
  const elsewhere = ({ url }: GlobalRoute): boolean => !url.startsWith('/up')
  for (const [global, own] of [[true, { ifMatch: false }], [elsewhere, {}]] as const) {
    const app = newApp(t)
    await app.register(ifMatch, { storage: memoryAdapter(), global })
    await app.register(async (scope) => { addProxy(scope, own) }, { prefix: '/up' })
    app.put('/offers/:id', replace)
    for (const url of ['/up', '/up/', '/up/a/b']) t.equal(await statusOf(app, `PUT ${url}`), 200, url)
    t.equal(await statusOf(app, 'PUT /offers/1'), 400)
  }
})

const addPut = (app: FastifyInstance, url = '/offers/:id'): void => { app.put(url, { config }, replace) }
const get = async (): Promise<string> => 'plain'

/** What the plugin warns of while an app boots. */
async function warningsOf (t: Test, add: (app: FastifyInstance) => unknown, options: object = {}): Promise<string[]> {
  const lines: Array<{ level: number, msg: string }> = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
  const app = newApp(t, { logger: { level: 'warn', stream } })
  await app.register(ifMatch, { storage: memoryAdapter(), ...options })
  await add(app)
  await app.ready()
  await statusOf(app, 'GET /offers/1')
  t.ok(lines.every(({ level }) => level === 40))
  return lines.map(({ msg }) => msg)
}

await t.test('a GET that is not guarded beside a guarded write is warned of once, when the app is ready', async (t) => {
  const warnings = await warningsOf(t, (app) => {
    addPut(app)
    app.delete('/offers/:offer', { config }, async () => {})
    app.get('/offers/:id', async () => ({ plain: true }))
  })
  t.equal(warnings.length, 1)
  t.match(warnings[0], /^GET \/offers\/:id is not guarded, and PUT, DELETE \/offers\/:id is: .*no ETag.*another plugin/)
  t.match(warnings[0], /Set config: { ifMatch: true } on the GET; .*config: { ifMatch: false }/)
})

await t.test('the warning finds the GET with other parameter names, a slash at its end, in a prefix, on a mixed route, by global, in a nested registration', async (t) => {
  const cases: Record<string, [add: (app: FastifyInstance) => unknown, options?: object]> = {
    before: [(app) => { app.get('/offers/:id', get); addPut(app) }],
    names: [(app) => { app.get('/offers/:offer', get); addPut(app) }],
    slash: [(app) => { app.get('/offers/:id/', get); addPut(app) }],
    root: [(app) => { app.get('/', get); addPut(app, '/') }],
    mixed: [(app) => { app.route({ method: ['GET', 'PUT'], url: '/offers/:id', handler: get }) }, { global: true }],
    global: [(app) => { app.get('/offers/:id', get); app.post('/offers/:id', get) }, { global: true }],
    prefix: [async (app) => await app.register(async (scope) => {
      scope.get('/', get)
      addPut(scope, '/')
    }, { prefix: '/settings' })],
    nested: [async (app) => {
      app.get('/offers/:id', get)
      await app.register(async (scope) => {
        await scope.register(ifMatch, { storage: memoryAdapter() })
        addPut(scope)
      })
    }],
    optional: [(app) => { app.get('/offers/:id?', get); addPut(app) }],
    'more slashes': [(app) => { app.get('//OFFERS//:id', get); addPut(app) }],
    'a name that is not ASCII': [(app) => { app.get('/offers/:größe', get); addPut(app) }],
    constraints: [(app) => {
      const [a, b] = ['a.example', 'b.example'].map((host) => ({ constraints: { host } }))
      const named = { config: { ifMatch: { key: '/x/:id' } } }
      for (const host of [a, b]) app.put('/offers/:id', { ...host, ...named }, replace)
      app.get('/offers/:id', a!, get)
      app.get('/offers/:id', { ...b, ...named }, get)
    }]
  }
  for (const [name, [add, options]] of Object.entries(cases)) {
    t.equal((await warningsOf(t, add, options)).length, 1, name)
  }
})

type AddRoutes = (app: FastifyInstance) => unknown

/** What the plugin warns of where each scope has a registration of its own. */
async function warningsOfScopes (t: Test, outside: AddRoutes, ...scopes: AddRoutes[]): Promise<string[]> {
  const warnings: string[] = []
  const stream = { write: (line: string) => { warnings.push(JSON.parse(line).msg) } }
  const app = newApp(t, { logger: { level: 'warn', stream } })
  outside(app)
  for (const add of scopes) {
    await app.register(async (scope) => {
      await scope.register(ifMatch, { storage: memoryAdapter() })
      await add(scope)
    })
  }
  await app.ready()
  return warnings
}

await t.test('the warning finds the GET in another scope, and one that the plugin did not see', async (t) => {
  const addGet = (app: FastifyInstance): void => { app.get('/offers/:offer', get) }
  const beside = await warningsOfScopes(t, () => {}, addPut, addGet)
  t.equal(beside.length, 1)
  t.match(beside[0], /^GET \/offers\/:offer is not guarded, and PUT .* Set config: { ifMatch: true } on the GET/)
  t.same(await warningsOfScopes(t, () => {}, addPut, (app) => { app.get('/offers/:id', { config }, get) }), [])
  const unseen = await warningsOfScopes(t, addGet, (app) => {
    addPut(app)
    app.delete('/offers/:id', { config }, get)
  })
  t.equal(unseen.length, 1)
  t.match(unseen[0], /^GET \/offers\/:id is not guarded, and PUT, DELETE .* outside of the scope .* or before/)
  const a = { constraints: { host: 'a.example' } }
  const other = { ...a, config: { ifMatch: { key: '/x/:id' } } }
  t.same(await warningsOfScopes(t, addGet, (app) => { app.put('/offers/:id', other, replace) }), [], 'another host')
  t.equal((await warningsOfScopes(t, (app) => { app.get('/offers/:id', a, get) }, (app) => {
    app.put('/offers/:id', other, replace)
  })).length, 1)
})

await t.test('no warning: the GET is guarded or says that it is not, is elsewhere, or there is none', async (t) => {
  const out = { config: { ifMatch: false } }
  const cases: Record<string, [add: (app: FastifyInstance) => unknown, options?: object]> = {
    guarded: [(app) => { addOfferRoutes(app) }],
    'says so': [(app) => { addPut(app); app.get('/offers/:id', out, get) }],
    'by global': [(app) => { app.put('/offers/:id', get); app.get('/offers/:id', out, get) }, { global: true }],
    none: [(app) => { addPut(app) }],
    'HEAD alone': [(app) => { addPut(app); app.head('/offers/:id', get) }],
    elsewhere: [(app) => { addPut(app); app.get('/offers', get); app.get('/*', get) }],
    'another host': [(app) => { addPut(app); app.get('/offers/:id', { constraints: { host: 'x.example' } }, get) }],
    optional: [(app) => { addPut(app, '/offers'); addPut(app); app.get('/offers/:id?', { config }, get) }],
    'two colons': [(app) => { addPut(app, '/:id(^\\d+)::publish'); app.get('/:id(^\\d+)::status', get) }],
    'nothing guarded': [(app) => { app.put('/offers/:id', get); app.get('/offers/:id', get) }]
  }
  for (const [name, [add, options]] of Object.entries(cases)) t.same(await warningsOf(t, add, options), [], name)
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
