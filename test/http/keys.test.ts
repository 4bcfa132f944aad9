import t from 'tap'
import type { FastifyRequest } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, offersApp } from '../support/offers-app.js'

await t.test('two spellings of one resource are one entity: percent-encoding, case of the path, trailing slash', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t, {
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true }
  })
  await app.register(ifMatch, { storage })
  addOfferRoutes(app)
  const created = await app.inject({
    method: 'PUT',
    url: '/offers/a-b',
    headers: { 'if-none-match': '*' },
    payload: {}
  })
  for (const url of ['/offers/a%2Db', '/Offers/a-b', '/offers/a-b/', '//offers//a-b', '/offers/%61-b?x=1']) {
    const read = await app.inject(url)
    t.equal(read.headers.etag, created.headers.etag, url)
    t.equal(
      (await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*' }, payload: {} })).statusCode,
      412,
      url
    )
  }
  t.same((await storage.list!('')).items.map(({ key }) => key), ['/offers/a-b'])
})

await t.test('no parameter reaches into another entity: each is encoded', async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put(
      '/a/:x/b/:y',
      { config: { ifMatch: true } },
      async (request) => (await request.entity().replace(request.body)).value
    )
  })
  for (const url of ['/a/1%2Fb%2F2/b/3', '/a/1/b/2%2Fb%2F3', '/offers/%252F', '/offers/%2F', '/offers/%C3%A9']) {
    t.ok(
      (await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*' }, payload: {} })).statusCode < 300,
      url
    )
  }
  t.same(
    (await storage.list!('')).items.map(({ key }) => key),
    ['/a/1%2Fb%2F2/b/3', '/a/1/b/2%2Fb%2F3', '/offers/%252F', '/offers/%2F', '/offers/%C3%A9']
  )
})

await t.test('parameters that validation changes are taken as it leaves them', async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put(
      '/n/:id',
      { config: { ifMatch: true }, schema: { params: { type: 'object', properties: { id: { type: 'integer' } } } } },
      async (request) => (await request.entity().replace(request.body)).value
    )
  })
  for (const [url, status] of [['/n/7', 200], ['/n/07', 412]] as const) {
    t.equal(
      (await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*' }, payload: {} })).statusCode,
      status
    )
  }
})

await t.test('a key of one\'s own: a pattern, or a function of the request', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage, key: 'tenant/:tenant/offer/:id' })
  const handler = async (request: FastifyRequest) => (await request.entity().replace(request.body)).value
  app.put('/:tenant/offers/:id', { config: { ifMatch: true } }, handler)
  app.put(
    '/by-function',
    { config: { ifMatch: { key: (request) => `f/${(request.query as { q: string }).q}` } } },
    handler
  )
  app.put('/promise', { config: { ifMatch: { key: (async () => { throw new Error('late') }) as never } } }, handler)
  app.put('/late', { config: { ifMatch: { key: () => '' } } }, handler)
  const send = async (url: string) =>
    await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*' }, payload: {} })
  t.equal((await send('/a/offers/1')).statusCode, 200)
  t.equal((await send('/by-function?q=1')).statusCode, 200)
  t.same((await storage.list!('')).items.map(({ key }) => key), ['f/1', 'tenant/a/offer/1'])
  const wrong = await send('/promise')
  t.same(
    [wrong.statusCode, wrong.json().code],
    [500, 'FST_IF_MATCH_INVALID_OPTIONS'],
    "a fault of the app, not the client's"
  )
  const refused = await send('/late')
  t.same([refused.statusCode, refused.json().code], [400, 'FST_IF_MATCH_INVALID_KEY'])
})

await t.test('wrong keys fail at boot and name the route (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const add = (url: string, key?: string, constraints?: Record<string, string>) => () => {
    app.route({
      method: ['PUT', 'PATCH'],
      url,
      config: { ifMatch: key === undefined ? true : { key } },
      ...(constraints && { constraints }),
      handler: async () => {}
    })
  }
  t.throws(add('/offers/:id', '/offers/:other'), {
    code: 'FST_IF_MATCH_INVALID_OPTIONS',
    message: /PUT, PATCH \/offers\/:id .*"other"/
  })
  t.throws(add('/x/:a-:b'), { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /two parameters in one segment/ })
  t.throws(add('/x/:a', '/x/:a(('), { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /parenthesis/ })
  t.throws(add('/offers/:id', undefined, { host: 'a.example' }), {
    code: 'FST_IF_MATCH_INVALID_OPTIONS',
    message: /constraints/
  })
  add('/offers/:id', '/a.example/offers/:id', { host: 'a.example' })()
})
