import t from 'tap'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, send, statusOf, valueOf } from '../support/offers-app.js'

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

await t.test('request.entity() in a hook that runs before ours is refused', async (t) => {
  const app = newApp(t)
  app.addHook('onRequest', async (request) => { request.entity('/offers/1') })
  await app.register(ifMatch, { storage: memoryAdapter() })
  addOfferRoutes(app)
  t.equal((await app.inject('/offers/1')).json().code, CODE)
})
