import t from 'tap'
import type { FastifyRequest } from 'fastify'
import ifMatch, { entityKey } from 'fastify-if-match'
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

await t.test('entityKey makes the key that the route makes, of whatever parameters', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage })
  const numbers = { type: 'object', properties: { number: { type: 'integer' }, flag: { type: 'boolean' } } }
  const patterns = [
    '/offers/:id', '/café/:id', '/p/:p/o/:o', '/files/*', '/x*', '/a/:id?', '/b/:id(^\\d+$)', '/d/::id/:id',
    '/e/:id.json', '/f/v-:id', '/static'
  ]
  const seen: string[] = []
  const guarded = (pattern: string, schema?: object): void => {
    app.put(pattern, { config: { ifMatch: true }, ...(schema && { schema }) }, async (request) => {
      const { url } = request.routeOptions
      const key = entityKey(url!, request.params as object)
      // A handle of the route's own entity is under the precondition: of another one, this would be NOT_READ.
      await request.entity(key).replace(request.body)
      seen.push(key)
    })
  }
  for (const pattern of patterns) guarded(pattern)
  guarded('/n/:number/:flag', { params: numbers })
  await app.register(async (scope) => {
    scope.put('/offers/:id', { config: { ifMatch: true } }, async (request) => {
      seen.push(entityKey('/v1/offers/:id', request.params as object))
      return (await request.entity().replace(request.body)).value
    })
  }, { prefix: '/v1' })
  const hostile = [
    '1', 'caf%C3%A9', 'a%20b', '%25', '%2F', 'a%2F..%2Fb', '%252F', '%00', '+', '*', ':id', '%F0%9F%98%80', ';x=1', '!'
  ]
  const urls = [
    ...hostile.flatMap((id) => [`/offers/${id}`, `/v1/offers/${id}`, `/p/${id}/o/${id}`, `/files/${id}/${id}`]),
    '/offers/', '/caf%C3%A9/%C3%A9', '/files/', '/x', '/xy/z', '/a', '/b/12', '/d/:id/1', '/e/a%2Fb.json', '/f/v-%2F',
    '/static', '/n/7/true', '/n/08/false'
  ]
  for (const url of urls) {
    const { statusCode, body } = await send(app, `PUT ${url}`, CREATE)
    t.equal(statusCode, 200, `${url}: ${body}`)
  }
  t.same([...seen].sort(), (await storage.list('', { limit: 200 })).items.map(({ key }) => key).sort())
  t.equal(new Set(seen).size, urls.length)
})

await t.test('a parameter that validation made an object of is no key: 500, and not one entity for all', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.setValidatorCompiler(() => (params) => ({ value: { id: new Date((params as { id: string }).id) } }))
    app.put('/days/:id', { config: { ifMatch: true }, schema: { params: {} } }, replace)
  })
  const response = await send(app, 'PUT /days/2020-01-01', CREATE)
  t.same([response.statusCode, response.json().code], [500, 'FST_IF_MATCH_INVALID_OPTIONS'])
  t.equal((await storage.list!('')).items.length, 0)
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
