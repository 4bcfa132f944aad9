import { once } from 'node:events'
import { connect } from 'node:http2'
import { Readable } from 'node:stream'
import t from 'tap'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { listen, newApp, seed, send, statusOf, tagOf, valueOf, type Offer } from '../support/offers-app.js'
import { resend, resendingApp } from '../support/resending-app.js'

await t.test('resend: a caller that throws, is asked too early, or is no name is 500 FST_IF_MATCH_INVALID_OPTIONS, and nothing is written', async (t) => {
  const rejects = async (): Promise<string> => await Promise.reject(new Error('never awaited'))
  for (const caller of [() => { throw new Error('nobody') }, () => undefined, () => '', () => 7, rejects]) {
    for (const precheck of [true, false]) {
      const { app, storage } = await resendingApp(t, { resend: { caller: caller as () => string }, precheck })
      const etag = await seed(storage)
      for (const headers of [{ 'if-match': etag }, { 'if-none-match': '*' }]) {
        const answer = await send(app, `PUT /offers/${'if-match' in headers ? 1 : 2}`, headers)
        t.strictSame([answer.statusCode, answer.json().code], [500, 'FST_IF_MATCH_INVALID_OPTIONS'])
      }
      t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '*' }), 200, 'under * nobody asks')
      t.equal(await storage.read('/offers/2'), undefined)
    }
  }
})

await t.test('resend: wrong options stop the boot', async (t) => {
  for (const resend of [true, {}, { caller: 'ada' }, { caller: () => 'a', ttl: 1 }, 'ada', null]) {
    await t.rejects(resendingApp(t, { resend: resend as never }), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
  }
})

await t.test('resend: the caller is asked behind the hooks of the app, and once a request', async (t) => {
  let asked = 0
  const caller = ({ user }: FastifyRequest & { user?: string }): string => { asked++; return user! }
  const { app, storage } = await resendingApp(t, { resend: { caller } }, (app) => {
    app.decorateRequest('user')
    app.addHook('preHandler', async (request) => { Object.assign(request, { user: request.headers['x-user'] }) })
  })
  const headers = { 'if-match': await seed(storage), 'x-user': 'ada', 'idempotency-key': 'k' }
  t.equal(await statusOf(app, 'PUT /offers/1', headers), 200)
  t.equal(await statusOf(app, 'PUT /offers/1', headers), 200)
  t.equal(asked, 2)
  t.equal(await statusOf(app, 'PUT /offers/1', { ...headers, 'x-user': 'bea' }), 412)
})

await t.test('resend: texts and bytes are compared as they are; what nothing tells is never taken for the same, unless a key names it', async (t) => {
  const parse = (app: FastifyInstance): void => {
    app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
    app.addContentTypeParser('image/png', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
    app.addContentTypeParser('app/map', { parseAs: 'string' }, (_request, body, done) => {
      done(null, new Map([[1, body]]))
    })
    app.addContentTypeParser('app/stream', (_request, payload, done) => { done(null, payload) })
    app.addContentTypeParser('app/unread', (_request, payload, done) => {
      payload.resume().on('end', () => { done(null) })
    })
  }
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    parse(app)
    app.post('/act/:id', { config }, async (request) => {
      const { body } = request
      if (body instanceof Readable) body.resume()
      return (await request.entity<Offer>().update((offer) => ({ ...offer, price: (offer.price ?? 0) + 1 }))).value
    })
  })
  for (const [type, again, other] of [
    ['text/csv', 200, 412],
    ['image/png', 200, 412],
    ['app/map', 412, 412],
    ['app/stream', 412, 412],
    ['app/unread', 412, 412]
  ] as const) {
    const headers = { 'if-match': await seed(storage), 'content-type': type }
    t.equal(await statusOf(app, 'POST /act/1', headers, 'same'), 200, type)
    t.equal(await statusOf(app, 'POST /act/1', headers, 'same'), again, type)
    t.equal(await statusOf(app, 'POST /act/1', headers, 'another'), other, type)
    const keyed = { ...headers, 'if-match': await tagOf(storage), 'idempotency-key': type }
    for (let count = 0; count < 2; count++) t.equal(await statusOf(app, 'POST /act/1', keyed, 'same'), 200, type)
    t.match(await valueOf(storage), { price: 2 })
  }
})

await t.test('resend: a request without a body is the same again', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.post('/act/:id', { config }, async (request) =>
      (await request.entity<Offer>().update((offer) => ({ ...offer, price: 1 }))).value)
  })
  const headers = { 'if-match': await seed(storage) }
  const post = async () => (await app.inject({ method: 'POST', url: '/act/1', headers })).statusCode
  t.strictSame([await post(), await post()], [200, 200])
})

await t.test('resend: over HTTP/2, a body that nobody parsed is not taken for none', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(async () => { await app.close() })
  const storage = memoryAdapter<Offer>()
  await app.register(ifMatch, { storage, resend })
  app.post('/offers/:id', { config: { ifMatch: true } }, async (request) => {
    request.raw.resume()
    return (await request.entity<Offer>().update((offer) => ({ ...offer, price: 1 }))).value
  })
  const session = connect(`http://127.0.0.1:${await listen(app as unknown as FastifyInstance)}`)
  t.teardown(() => { session.close() })
  const post = async (etag: string, body?: string): Promise<number> => {
    const headers = { ':method': 'POST', ':path': '/offers/1', 'if-match': etag }
    const request = session.request(headers, { endStream: body === undefined })
    if (body !== undefined) request.end(body)
    const [answer] = await once(request, 'response') as [{ ':status': number }]
    request.resume()
    await once(request, 'close')
    return answer[':status']
  }
  for (const [body, again] of [[undefined, 200], ['a', 412]] as const) {
    const etag = await seed(storage)
    t.equal(await post(etag, body), 200)
    t.equal(await post(etag, body), again)
  }
})

await t.test('resend: two texts that UTF-8 cannot tell apart are two contents', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.post('/act/:id', { config }, async (request) =>
      (await request.entity<Offer>().update(() => ({ title: request.body as string }))).value)
  })
  for (const [key, again] of [[{}, 412], [{ 'idempotency-key': 'k' }, 422]] as const) {
    const headers = { ...key, 'if-match': await seed(storage), 'content-type': 'application/json' }
    t.equal(await statusOf(app, 'POST /act/1', headers, '"\\ud800"'), 200)
    t.equal(await statusOf(app, 'POST /act/1', headers, '"\\ud801"'), again)
    t.same(await valueOf(storage), { title: '\ud800' })
  }
})

await t.test('resend: a request of another version or host is of another route, also where the path is the same', async (t) => {
  const routes = [
    [{ version: '1.0.0' }, { 'accept-version': '1.x' }],
    [{ version: '2.0.0' }, { 'accept-version': '2.x' }],
    [{ host: 'a.example' }, { host: 'a.example' }],
    [{ host: /^b/ }, { host: 'b.example' }],
    [{ host: /^c/ }, { host: 'c.example' }]
  ] as const
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    for (const [constraints] of routes) {
      app.post('/act/:id', { config, constraints }, async (request) =>
        (await request.entity<Offer>().update(() => ({ title: String(Object.values(constraints)) }))).value)
    }
  })
  for (const key of [{}, { 'idempotency-key': 'k' }]) {
    for (const [constraints, named] of routes) {
      const headers = { ...key, 'if-match': await seed(storage) }
      const title = String(Object.values(constraints))
      t.equal(await statusOf(app, 'POST /act/1', { ...headers, ...named }), 200, title)
      for (const [, other] of routes) {
        t.equal(await statusOf(app, 'POST /act/1', { ...headers, ...other }), other === named ? 200 : 412, title)
      }
      t.same(await valueOf(storage), { title })
    }
  }
})

await t.test('resend: two addresses that the server rewrites to one are two requests', async (t) => {
  const storage = memoryAdapter<Offer>()
  const app = newApp(t, { rewriteUrl: ({ url }) => url!.replace(/^\/(raise|lower)/, '/act') })
  await app.register(ifMatch, { storage, resend })
  app.post('/act/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) =>
    (await request.entity<Offer>().update(() => ({ title: request.originalUrl }))).value)
  const headers = { 'if-match': await seed(storage) }
  for (const [url, status] of [['/raise/1', 200], ['/raise/1', 200], ['/lower/1', 412]] as const) {
    t.equal(await statusOf(app, `POST ${url}`, headers), status, url)
  }
})

await t.test('resend: the boundary of a form in parts is no part of its content (RFC 2046 5.1.1)', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.addContentTypeParser(/^multipart\//, (_request, payload, done) => {
      payload.resume().on('end', () => { done(null) })
    })
    app.post('/act/:id', { config }, async (request) =>
      (await request.entity<Offer>().update(() => ({ title: 'form' }))).value)
  })
  const headers = { 'if-match': await seed(storage), 'idempotency-key': 'k' }
  for (const [type, status] of [
    ['form-data; boundary=a', 200], ['form-data; Boundary="b; c"', 200], ['form-data;boundary=d; x=1', 422],
    ['mixed; boundary=a', 422]
  ] as const) {
    t.equal(await statusOf(app, 'POST /act/1', { ...headers, 'content-type': `multipart/${type}` }, 'x'), status, type)
  }
})
