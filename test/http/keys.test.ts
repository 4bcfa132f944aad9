import t from 'tap'
import type { FastifyRequest } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, offersApp, send, statusOf } from '../support/offers-app.js'

const CREATE = { 'if-none-match': '*' }
const replace = async (request: FastifyRequest): Promise<unknown> =>
  (await request.entity().replace(request.body)).value

await t.test('two spellings of one resource are one entity: percent-encoding, case of the path, trailing slash', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t, {
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true }
  })
  await app.register(ifMatch, { storage })
  addOfferRoutes(app)
  const created = await send(app, 'PUT /offers/a-b', CREATE)
  for (const url of ['/offers/a%2Db', '/Offers/a-b', '/offers/a-b/', '//offers//a-b', '/offers/%61-b?x=1']) {
    t.equal((await app.inject(url)).headers.etag, created.headers.etag, url)
    t.equal(await statusOf(app, `PUT ${url}`, CREATE), 412, url)
  }
  t.same((await storage.list('')).items.map(({ key }) => key), ['/offers/a-b'])
})

await t.test('no parameter reaches into another entity: each is encoded', async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/a/:x/b/:y', { config: { ifMatch: true } }, replace)
  })
  const urls = ['/a/1%2Fb%2F2/b/3', '/a/1/b/2%2Fb%2F3', '/offers/%252F', '/offers/%2F', '/offers/%C3%A9']
  for (const url of urls) t.ok(await statusOf(app, `PUT ${url}`, CREATE) < 300, url)
  t.same((await storage.list('')).items.map(({ key }) => key), urls)
})

await t.test('parameters that validation changes make the key as they are after it', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    const params = { type: 'object', properties: { id: { type: 'integer' } } }
    app.put('/n/:id', { config: { ifMatch: true }, schema: { params } }, replace)
  })
  t.equal(await statusOf(app, 'PUT /n/7', CREATE), 200)
  t.equal(await statusOf(app, 'PUT /n/07', CREATE), 412)
})

await t.test('the option key: a pattern, or a function of the request', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  const byQuery = (request: FastifyRequest): string => `f/${(request.query as { q: string }).q}`
  const failing = async (): Promise<string> => { throw new Error('late') }
  await app.register(ifMatch, { storage, key: 'tenant/:tenant/offer/:id' })
  app.put('/:tenant/offers/:id', { config: { ifMatch: true } }, replace)
  app.put('/by-function', { config: { ifMatch: { key: byQuery } } }, replace)
  app.put('/promise', { config: { ifMatch: { key: failing as never } } }, replace)
  app.put('/empty', { config: { ifMatch: { key: () => '' } } }, replace)
  t.equal(await statusOf(app, 'PUT /a/offers/1', CREATE), 200)
  t.equal(await statusOf(app, 'PUT /by-function?q=1', CREATE), 200)
  t.same((await storage.list('')).items.map(({ key }) => key), ['f/1', 'tenant/a/offer/1'])
  const wrong = await send(app, 'PUT /promise', CREATE)
  t.same([wrong.statusCode, wrong.json().code], [500, 'FST_IF_MATCH_INVALID_OPTIONS'], 'a fault of the app')
  const refused = await send(app, 'PUT /empty', CREATE)
  t.same([refused.statusCode, refused.json().code], [400, 'FST_IF_MATCH_INVALID_KEY'])
})

await t.test('wrong keys fail at boot and name the route (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const code = 'FST_IF_MATCH_INVALID_OPTIONS'
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
  t.throws(add('/offers/:id', '/offers/:other'), { code, message: /PUT, PATCH \/offers\/:id .*"other"/ })
  t.throws(add('/x/:a-:b'), { code, message: /two parameters in one segment/ })
  t.throws(add('/x/:a', '/x/:a(('), { code, message: /parenthesis/ })
  t.throws(add('/offers/:id', undefined, { host: 'a.example' }), { code, message: /constraints/ })
  add('/offers/:id', '/a.example/offers/:id', { host: 'a.example' })()
})
