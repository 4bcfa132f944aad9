import t from 'tap'
import type { IfMatchRouteOptions } from 'fastify-if-match'
import { offersApp, seed, send, statusOf, tagOf, valueOf } from '../support/offers-app.js'

for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
  await t.test(`${method} without If-Match is 400, says what to do, and changes nothing`, async (t) => {
    const { app, storage } = await offersApp(t)
    const etag = await seed(storage)
    const response = await send(app, `${method} /offers/1`)
    t.equal(response.statusCode, 400)
    t.match(response.json(), { code: 'FST_IF_MATCH_REQUIRED', message: /If-Match/ })
    t.equal(response.headers['cache-control'], 'no-store')
    t.equal(response.headers.etag, undefined)
    t.equal(await tagOf(storage), etag)
  })
}

await t.test('without If-Match the answer is the same whether the entity exists or not, and the storage is not asked', async (t) => {
  const { app, storage } = await offersApp(t)
  await seed(storage)
  storage.read = storage.write = async () => { throw new Error('asked') }
  const exists = await send(app, 'PUT /offers/1')
  const absent = await send(app, 'PUT /offers/2')
  t.equal(exists.statusCode, 400)
  t.equal(exists.body, absent.body)
})

await t.test('missing 428: the status of RFC 6585 3, with no-store', async (t) => {
  const { app } = await offersApp(t, { missing: 428 })
  const response = await send(app, 'PUT /offers/1')
  t.equal(response.statusCode, 428)
  t.equal(response.json().code, 'FST_IF_MATCH_REQUIRED')
  t.equal(response.headers['cache-control'], 'no-store')
})

await t.test('missing "allow": without the header the last one wins; a header that is sent is honoured', async (t) => {
  const { app, storage } = await offersApp(t, { missing: 'allow' })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'PUT /offers/1', {}, { title: 'a' }), 200)
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag }, { title: 'b' }), 412)
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '' }, { title: 'b' }), 400, 'sent empty is not missing')
  t.same(await valueOf(storage), { title: 'a' })
})

await t.test('missing "allow": a bare PUT creates unless create is false, and a bare DELETE of an absent entity is 404', async (t) => {
  const { app } = await offersApp(t, { missing: 'allow' })
  t.equal(await statusOf(app, 'PUT /offers/1'), 201)
  t.equal(await statusOf(app, 'DELETE /offers/1'), 204)
  t.equal(await statusOf(app, 'DELETE /offers/1'), 404)
  const { app: other } = await offersApp(t, { missing: 'allow', create: false })
  t.equal(await statusOf(other, 'PUT /offers/1'), 404)
})

await t.test('If-None-Match: * alone names a strategy where PUT may create (RFC 9110 13.1.2)', async (t) => {
  const { app } = await offersApp(t)
  const headers = { 'if-none-match': '*' }
  const created = await send(app, 'PUT /offers/1', headers, { title: 'a' })
  t.equal(created.statusCode, 201)
  const again = await send(app, 'PUT /offers/1', headers, { title: 'b' })
  t.equal(again.statusCode, 412)
  t.match(again.json().message, /^If-None-Match is false: the entity exists already/)
  t.equal(again.headers.etag, created.headers.etag, 'the 412 carries the current tag')
})

await t.test('OPTIONS and TRACE never evaluate preconditions (RFC 9110 13.2.1)', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    app.route({
      method: ['OPTIONS', 'TRACE'],
      url: '/offers/:id',
      config: { ifMatch: true },
      handler: async () => 'fine'
    })
  })
  for (const method of ['OPTIONS', 'TRACE']) {
    const response = await send(app, `${method} /offers/1`, { 'if-match': 'malformed', 'if-none-match': '*' })
    t.equal(response.statusCode, 200, method)
    t.equal(response.body, 'fine')
    t.equal(response.headers.etag, undefined)
  }
})

await t.test('a custom method counts as a write, and one that is registered as safe as a read', async (t) => {
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
  t.equal(await statusOf(app, 'MKCOL /offers/1'), 400)
  t.equal(await statusOf(app, 'MKCOL /offers/1', { 'if-match': etag }), 200)
  t.equal(await statusOf(app, 'PROPFIND /offers/1'), 200)
  t.equal(await statusOf(app, 'PROPFIND /offers/1', { 'if-match': '"x"' }), 412)
  t.equal(await statusOf(app, 'PROPFIND /offers/1', { 'if-none-match': etag }), 412, '304 is for GET and HEAD')
})

await t.test('the refusal of a write without a strategy names If-None-Match: * where the request may create, and there alone', async (t) => {
  const messageOf = async (
    options: IfMatchRouteOptions,
    method: string,
    headers: Record<string, string> = {}
  ): Promise<string> => {
    const { app } = await offersApp(t, options)
    const response = await send(app, `${method} /offers/1`, headers)
    t.match(response.json(), { code: 'FST_IF_MATCH_REQUIRED', message: /send its ETag in If-Match.*"If-Match: \*"/ })
    return response.json().message
  }
  const names = /"If-None-Match: \*" to create/
  t.match(await messageOf({}, 'PUT'), names)
  t.match(await messageOf({ missing: 428 }, 'PUT'), names)
  t.match(await messageOf({}, 'PUT', { 'if-none-match': '"x"' }), names)
  t.match(await messageOf({ create: 'if-none-match' }, 'PATCH'), names)
  for (const method of ['PATCH', 'POST', 'DELETE']) t.notMatch(await messageOf({}, method), names, method)
  t.notMatch(await messageOf({ create: 'wildcard' }, 'DELETE'), names)
  t.notMatch(await messageOf({ create: false }, 'PUT'), names)
})
