import t from 'tap'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp } from '../support/offers-app.js'

await t.test('a route that was registered before the plugin was ready is a 500 that names it (FST_IF_MATCH_NOT_GUARDED)', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  app.register(ifMatch, { storage }) // not awaited: the routes below come first
  addOfferRoutes(app)
  app.put('/options', { config: { ifMatch: { missing: 'allow' } } }, async () => 'open')
  t.equal((await app.inject({ method: 'PUT', url: '/options', payload: {} })).json().code, 'FST_IF_MATCH_NOT_GUARDED')
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'POST'] as const) {
    const response = await app.inject({
      method,
      url: '/offers/1',
      headers: { 'if-match': '*' },
      ...(method === 'PUT' && { payload: {} })
    })
    t.equal(response.statusCode, 500, method)
    if (method !== 'HEAD') {
      t.match(response.json(), {
        code: 'FST_IF_MATCH_NOT_GUARDED',
        message: new RegExp(`^${method} /offers/:id is not guarded`)
      })
    }
  }
  t.equal(await storage.read('/offers/1'), undefined)
})

await t.test('with global, so is every state-changing route that came too early; other routes and 404 are not', async (t) => {
  const app = newApp(t)
  app.register(ifMatch, { storage: memoryAdapter(), global: true })
  app.post('/early', async () => 'done')
  app.post('/out', { config: { ifMatch: false } }, async () => 'done')
  app.get('/early', async () => 'read')
  t.equal((await app.inject({ method: 'POST', url: '/early' })).json().code, 'FST_IF_MATCH_NOT_GUARDED')
  t.equal((await app.inject({ method: 'POST', url: '/out' })).statusCode, 200)
  t.equal((await app.inject('/early')).statusCode, 200)
  t.equal((await app.inject({ method: 'POST', url: '/nowhere' })).statusCode, 404)
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
  const response = await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-none-match': '*' }, payload: {} })
  t.equal(response.json().code, 'FST_IF_MATCH_NOT_GUARDED')
  t.equal(await outer.read('/offers/1'), undefined)
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
    const response = await app.inject({ method: 'POST', url })
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'FST_IF_MATCH_NOT_GUARDED', message: new RegExp(`^POST ${url} `) })
  }
  t.equal((await app.inject({ method: 'POST', url: '/keyed' })).statusCode, 200)
})

await t.test('request.entity() before our hooks ran is refused', async (t) => {
  const app = newApp(t)
  app.addHook('onRequest', async (request) => { request.entity('/offers/1') })
  await app.register(ifMatch, { storage: memoryAdapter() })
  addOfferRoutes(app)
  t.equal((await app.inject('/offers/1')).json().code, 'FST_IF_MATCH_NOT_GUARDED')
})
