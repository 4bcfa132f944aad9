import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { IfMatchRouteOptions, Missing } from 'fastify-if-match'
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

for (const missing of ['allow', 'warn'] as const) {
  await t.test(`missing "${missing}": without the header the last one wins; a header that is sent is honoured`, async (t) => {
    const { app, storage } = await offersApp(t, { missing })
    const etag = await seed(storage)
    t.equal(await statusOf(app, 'PUT /offers/1', {}, { title: 'a' }), 200)
    t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag }, { title: 'b' }), 412)
    t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '' }, { title: 'b' }), 400, 'sent empty is not missing')
    t.same(await valueOf(storage), { title: 'a' })
  })

  await t.test(`missing "${missing}": a bare PUT creates unless create is false, and a bare DELETE of an absent entity is 404`, async (t) => {
    const { app } = await offersApp(t, { missing })
    t.equal(await statusOf(app, 'PUT /offers/1'), 201)
    t.equal(await statusOf(app, 'DELETE /offers/1'), 204)
    t.equal(await statusOf(app, 'DELETE /offers/1'), 404)
    const { app: other } = await offersApp(t, { missing, create: false })
    t.equal(await statusOf(other, 'PUT /offers/1'), 404)
  })
}

/** A logger that keeps what is warned of. */
function warnings () {
  const lines: string[] = []
  return { lines, logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } }
}

await t.test('missing "warn": one line a request, with method and pattern, and neither key, value nor header of the request', async (t) => {
  const { lines, logger } = warnings()
  const { app, storage } = await offersApp(t, { missing: 'warn' }, (app) => {
    app.put('/twice/:id', { config: { ifMatch: { key: '/offers/:id', missing: 'warn' } } }, async (request) => {
      await request.entity().replace({ title: 'first' })
      return (await request.entity().replace({ title: 'second' })).value
    })
  }, { logger })
  const etag = await seed(storage, 'k3y')
  const sent = [{ authorization: 'Bearer s3cret', cookie: 's3cret' }, { title: 's3cret' }] as const
  t.equal(await statusOf(app, 'PUT /offers/k3y?token=s3cret', ...sent), 200)
  t.equal(lines.length, 1)
  const { level, reqId, msg, code, method, route, ...others } = JSON.parse(lines[0]!)
  t.same([level, code, method, route], [40, 'FST_IF_MATCH_REQUIRED', 'PUT', '/offers/:id'])
  t.equal(msg, 'PUT /offers/:id came without If-Match, and was let through: the last write wins.')
  t.type(reqId, 'string')
  t.strictSame(Object.keys(others).sort(), ['hostname', 'pid', 'time'])
  t.notMatch(lines[0]!, /s3cret|k3y/)
  t.equal(await statusOf(app, 'PUT /twice/k3y'), 200)
  t.equal(lines.length, 2, 'two writes of one request')
  for (const headers of [{ 'if-match': '*' }, { 'if-match': etag }, { 'if-match': 'x' }, { 'if-none-match': '*' }]) {
    await send(app, 'PUT /offers/k3y', headers)
  }
  await send(app, 'GET /offers/k3y')
  t.equal(lines.length, 2, 'who names a strategy is not warned of, nor who reads')
})

/** Answers by the client that the app knows, and keeps who was asked about. */
function byClient () {
  const asked: string[] = []
  const missing = (request: FastifyRequest): Missing => {
    const { user } = request as FastifyRequest & { user?: string }
    asked.push(`${request.method} ${user}`)
    if (user === 'old') return 'allow'
    if (user === 'late') return 'warn'
    return user === 'warned' ? 428 : 400
  }
  return { asked, missing }
}

await t.test('missing as a function: each request is refused or let through as it says, and it is asked behind authentication', async (t) => {
  const { asked, missing } = byClient()
  const { lines, logger } = warnings()
  const { app, storage } = await offersApp(t, { missing }, (app) => {
    app.decorateRequest('user', '')
    app.addHook('preHandler', async (request) => { Object.assign(request, { user: request.headers['x-user'] }) })
  }, { logger })
  const etag = await seed(storage)
  const users = ['old', 'late', 'warned', 'new']
  const statuses = async (method: string) => await Promise.all(
    users.map((user) => statusOf(app, `${method} /offers/1`, { 'x-user': user }))
  )
  t.same(await statuses('PUT'), [200, 200, 428, 400])
  t.same(await statuses('PATCH'), [200, 200, 428, 400])
  t.same(asked, ['PUT', 'PATCH'].flatMap((method) => users.map((user) => `${method} ${user}`)))
  t.equal(lines.length, 2, 'the two of the answer "warn"')
  const refused = await send(app, 'DELETE /offers/1', { 'x-user': 'warned' })
  t.match(refused.json(), { code: 'FST_IF_MATCH_REQUIRED', statusCode: 428 })
  t.equal(refused.headers['cache-control'], 'no-store')
  t.equal(await statusOf(app, 'PUT /offers/1', { 'x-user': 'old', 'if-match': etag }), 412)
})

await t.test('missing as a function: it is asked once a request, and only about a write that names no strategy', async (t) => {
  const asked: string[] = []
  const missing = ({ method }: FastifyRequest): Missing => {
    asked.push(method)
    return 'allow'
  }
  const { app, storage } = await offersApp(t, { missing }, (app) => {
    const config = { ifMatch: { key: '/offers/:id', missing } }
    app.put('/twice/:id', { config }, async (request) => {
      await request.entity().replace({ title: 'first' })
      return (await request.entity().update(() => ({ title: 'second' }))).value
    })
    app.put('/early/:id', {
      config,
      preHandler: async (request) => { await request.entity().replace({ title: 'by a hook' }) }
    }, async (request) => (await request.entity().replace({ title: 'by the handler' })).value)
    app.put('/filled/:id', {
      config,
      preHandler: async (request) => { request.headers['if-match'] = '*' }
    }, async (request) => (await request.entity().replace({})).value)
    app.get('/visits/:id', { config }, async (request) =>
      (await request.entity().update(() => ({ title: 'seen' }))).value)
  })
  const etag = await seed(storage)
  for (const headers of [{ 'if-match': etag }, { 'if-match': '*' }, { 'if-match': 'x' }, { 'if-none-match': '*' }]) {
    await send(app, 'PUT /offers/1', headers)
  }
  t.equal(await statusOf(app, 'GET /offers/1'), 200)
  t.equal(await statusOf(app, 'PUT /filled/1'), 200, 'a hook filled in the header')
  t.same(asked, [])
  t.equal(await statusOf(app, 'PUT /twice/1'), 200)
  t.equal(await statusOf(app, 'PUT /early/1'), 200)
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-none-match': '"x"' }), 200)
  t.equal(await statusOf(app, 'GET /visits/1'), 200, 'a GET that writes')
  t.same(asked, ['PUT', 'PUT', 'PUT', 'GET'])
})

const NOTHING: unknown = undefined

const FAILING: Record<string, (request: FastifyRequest) => unknown> = {
  'throws an error': () => { throw new Error('s3cret') },
  'throws an error of the app': () => { throw Object.assign(new Error('s3cret'), { statusCode: 200 }) },
  'throws nothing': () => { throw NOTHING },
  'returns a promise': async () => 'allow',
  'returns a promise that rejects': async () => { throw new Error('s3cret') },
  'returns nothing': () => {},
  'returns another status': () => 401,
  'returns the text of a status': () => '400',
  'returns true': () => true,
  'is a class': class Allow {} as never
}

for (const precheck of [true, false]) {
  await t.test(`missing as a function that fails: 500, nothing is written, and the answer says no more than the route, with precheck ${precheck}`, async (t) => {
    for (const [name, missing] of Object.entries(FAILING)) {
      const { app, storage } = await offersApp(t, { missing: missing as () => 400, precheck })
      const etag = await seed(storage)
      for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
        const response = await send(app, `${method} /offers/1`)
        t.same([response.statusCode, response.json().code], [500, 'FST_IF_MATCH_INVALID_OPTIONS'], `${name}, ${method}`)
        t.match(response.json().message, `${method} /offers/:id are wrong: the function "missing" `)
        t.notMatch(response.body, 's3cret')
      }
      t.equal(await statusOf(app, 'PUT /offers/2', { 'if-none-match': '"x"' }), 500, name)
      t.equal(await tagOf(storage), etag, name)
      t.equal(await tagOf(storage, '2'), undefined, name)
      t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag }), 200, 'who names a strategy is not concerned')
    }
  })
}

await t.test('missing as a function that fails: what it threw is the cause, for the log, and an error handler writes nothing either', async (t) => {
  const thrown = new Error('the list of clients is gone')
  const seen: unknown[] = []
  let asked = 0
  const missing = (): 'allow' => {
    asked++
    if (asked === 1) throw thrown
    return 'allow'
  }
  const { app, storage } = await offersApp(t, { missing }, (app) => {
    app.setErrorHandler(async (error: Error, request, reply) => {
      seen.push(error.cause)
      const later = await request.entity().replace({ title: 'by the error handler' }).catch((error) => error.code)
      return reply.code(500).send({ later })
    })
  })
  const etag = await seed(storage)
  t.same((await send(app, 'PUT /offers/1')).json(), { later: 'FST_IF_MATCH_REQUIRED' })
  t.strictSame(seen, [thrown])
  t.equal(asked, 1)
  t.equal(await tagOf(storage), etag)
})

await t.test('missing as a function that writes to the entity itself: that write is refused, and the function is not asked again', async (t) => {
  const codes: unknown[] = []
  const { app, storage } = await offersApp(t, {
    missing (request) {
      codes.push(request.entity().replace({ title: 'inside' }).catch((error: { code: string }) => error.code))
      return 'allow'
    }
  })
  await seed(storage)
  t.equal(await statusOf(app, 'PUT /offers/1', {}, { title: 'outside' }), 200)
  t.same(await Promise.all(codes), ['FST_IF_MATCH_REQUIRED'])
  t.same(await valueOf(storage), { title: 'outside' })
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
