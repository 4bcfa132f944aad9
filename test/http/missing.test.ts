import t from 'tap'
import { offersApp, seed } from '../support/offers-app.js'

for (const method of ['PUT', 'PATCH', 'DELETE', 'POST'] as const) {
  await t.test(`${method} without If-Match is 400, says what to do, and changes nothing (R1, R62)`, async (t) => {
    const { app, storage } = await offersApp(t)
    const etag = await seed(storage)
    const response = await app.inject({
      method,
      url: '/offers/1',
      ...(method !== 'DELETE' && { payload: { title: 'sent' } })
    })
    t.equal(response.statusCode, 400)
    t.match(response.json(), { code: 'FST_IF_MATCH_REQUIRED', message: /If-Match/ })
    t.equal(response.headers['cache-control'], 'no-store')
    t.equal(response.headers.etag, undefined)
    t.equal(`"${(await storage.read('/offers/1'))?.version}"`, etag)
  })
}

await t.test('without If-Match the answer is the same whether the entity exists or not, and the storage is not asked (R48)', async (t) => {
  const { app, storage } = await offersApp(t)
  await seed(storage)
  storage.read = storage.write = async () => { throw new Error('asked') }
  const exists = await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })
  const absent = await app.inject({ method: 'PUT', url: '/offers/2', payload: {} })
  t.equal(exists.statusCode, 400)
  t.equal(exists.body, absent.body)
})

await t.test('missing 428: as RFC 6585 has it, with no-store', async (t) => {
  const { app } = await offersApp(t, { missing: 428 })
  const response = await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })
  t.equal(response.statusCode, 428)
  t.equal(response.json().code, 'FST_IF_MATCH_REQUIRED')
  t.equal(response.headers['cache-control'], 'no-store')
})

await t.test('missing "allow": without the header last one wins; with it, it is honoured', async (t) => {
  const { app, storage } = await offersApp(t, { missing: 'allow' })
  const etag = await seed(storage)
  t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: { title: 'a' } })).statusCode, 200)
  t.equal(
    (await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': etag }, payload: { title: 'b' } }))
      .statusCode,
    412
  )
  t.equal(
    (await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': '' }, payload: { title: 'b' } }))
      .statusCode,
    400,
    'sent empty is not missing (R32)'
  )
  t.same((await storage.read('/offers/1'))?.value, { title: 'a' })
})

await t.test('missing "allow": a bare PUT creates unless create is false, and a bare DELETE of nothing is 404', async (t) => {
  const { app } = await offersApp(t, { missing: 'allow' })
  t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: { title: 'a' } })).statusCode, 201)
  t.equal((await app.inject({ method: 'DELETE', url: '/offers/1' })).statusCode, 204)
  t.equal((await app.inject({ method: 'DELETE', url: '/offers/1' })).statusCode, 404)
  const { app: other } = await offersApp(t, { missing: 'allow', create: false })
  t.equal((await other.inject({ method: 'PUT', url: '/offers/1', payload: { title: 'a' } })).statusCode, 404)
})

await t.test('If-None-Match: * alone names a strategy where PUT may create, and nowhere else (R55)', async (t) => {
  const { app } = await offersApp(t)
  const headers = { 'if-none-match': '*' }
  const created = await app.inject({ method: 'PUT', url: '/offers/1', headers, payload: { title: 'a' } })
  t.equal(created.statusCode, 201)
  const again = await app.inject({ method: 'PUT', url: '/offers/1', headers, payload: { title: 'b' } })
  t.equal(again.statusCode, 412)
  t.match(again.json().message, /^If-None-Match is false: the entity exists already/)
  t.equal(again.headers.etag, created.headers.etag, 'the 412 carries the current tag (R63)')
})

await t.test('OPTIONS and TRACE never evaluate preconditions (R47)', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    app.route({
      method: ['OPTIONS', 'TRACE'],
      url: '/offers/:id',
      config: { ifMatch: true },
      handler: async () => 'fine'
    })
  })
  for (const method of ['OPTIONS', 'TRACE'] as const) {
    const response = await app.inject({
      method: method as 'OPTIONS',
      url: '/offers/1',
      headers: { 'if-match': 'malformed', 'if-none-match': '*' }
    })
    t.equal(response.statusCode, 200, method)
    t.equal(response.body, 'fine')
    t.equal(response.headers.etag, undefined)
  }
})

await t.test('a custom method is taken to write, and one that is registered as safe to read', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    for (const method of ['PROPFIND', 'MKCOL']) {
      app.addHttpMethod(method)
      app.route({
        method,
        url: '/offers/:id',
        config: { ifMatch: true },
        handler: async (request) => (await request.entity().unchanged()).value
      })
    }
  })
  const etag = await seed(storage)
  const send = async (method: string, headers = {}): Promise<number> =>
    (await app.inject({ method: method as 'GET', url: '/offers/1', headers })).statusCode
  t.equal(await send('MKCOL'), 400)
  t.equal(await send('MKCOL', { 'if-match': etag }), 200)
  t.equal(await send('PROPFIND'), 200)
  t.equal(await send('PROPFIND', { 'if-match': '"x"' }), 412)
  t.equal(await send('PROPFIND', { 'if-none-match': etag }), 412, '304 is for GET and HEAD')
})
