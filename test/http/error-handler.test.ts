import t from 'tap'
import { problemDetails } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersApp, seed, send, tagOf } from '../support/offers-app.js'

const STALE = { 'if-match': '"stale"' }
const SENT = { title: 'sent' }

await t.test("an app's own error handler formats our errors, and the headers of the final status survive it", async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.setErrorHandler((error: Error & { statusCode: number, code: string }, _request, reply) =>
      reply.code(error.statusCode).send({ own: error.code })
    )
  })
  const etag = await seed(storage)
  const stale = await send(app, 'PUT /offers/1', STALE, SENT)
  t.equal(stale.statusCode, 412)
  t.same(stale.json(), { own: 'FST_IF_MATCH_PRECONDITION_FAILED' })
  t.equal(stale.headers.etag, etag)
  t.equal(stale.headers['cache-control'], 'no-store')
  const missing = await send(app, 'PUT /offers/1', {}, SENT)
  t.same([missing.statusCode, missing.headers['cache-control'], missing.headers.etag], [400, 'no-store', undefined])
})

await t.test('an error handler that answers another status gets the headers of that status', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.setErrorHandler((_error, _request, reply) => reply.code(403).send({ own: true }))
  })
  await seed(storage)
  const response = await send(app, 'PUT /offers/1', STALE, SENT)
  t.equal(response.statusCode, 403)
  t.equal(response.headers.etag, undefined)
  t.equal(response.headers['cache-control'], undefined)
})

await t.test('an error handler that forgets the status cannot turn a lost race into a success', async (t) => {
  const { app, storage } = await offersApp(t, { precheck: false }, (app) => {
    app.setErrorHandler((_error, _request, reply) => reply.send({ forgot: true }))
  })
  const etag = await seed(storage)
  const response = await send(app, 'PUT /offers/1', STALE, SENT)
  t.equal(response.statusCode, 412)
  t.equal(await tagOf(storage), etag)
})

await t.test('an error handler of the route, and a scope inside a scope, work like any other', async (t) => {
  const { app, storage } = await offersApp(t, {}, async (app) => {
    await app.register(async (scope) => {
      scope.put('/scoped/:id', {
        config: { ifMatch: { key: '/offers/:id' } },
        errorHandler: async (error, request, reply) => {
          const problem = problemDetails(error, { instance: request.url, base: 'https://example.com/problems/' })
          return await reply.code(problem.status).type('application/problem+json').send(problem)
        }
      }, async (request) => (await request.entity().replace(request.body)).value)
    })
  })
  const etag = await seed(storage)
  const response = await send(app, 'PUT /scoped/1', STALE, SENT)
  t.equal(response.statusCode, 412)
  t.equal(response.headers.etag, etag)
  t.match(response.headers['content-type'], /^application\/problem\+json/)
  t.match(response.json(), {
    type: 'https://example.com/problems/fst_if_match_precondition_failed',
    title: 'Precondition Failed',
    status: 412,
    instance: '/scoped/1',
    code: 'FST_IF_MATCH_PRECONDITION_FAILED'
  })
})

await t.test('a 412 that the handler answers by itself carries no tag', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/own/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (_request, reply) =>
      await reply.code(412).send({ own: true }))
  })
  const etag = await seed(storage)
  const response = await send(app, 'PUT /own/1', { 'if-match': etag })
  t.same([response.statusCode, response.headers.etag], [412, undefined])
})

await t.test('503 says when to try again, unless the app says it (Retry-After)', async (t) => {
  const storage = memoryAdapter({ around: () => { throw new Error('connect ECONNREFUSED 10.1.2.3') } })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.addHook('onError', async (request, reply) => {
      if (request.headers['x-own'] !== undefined) reply.header('retry-after', '30')
    })
  })
  const response = await send(app, 'GET /offers/1')
  t.equal(response.statusCode, 503)
  t.equal(response.json().code, 'FST_IF_MATCH_STORAGE_UNAVAILABLE')
  t.equal(response.headers['retry-after'], '1')
  t.notMatch(response.body, /10\.1\.2\.3/, 'the message of the driver is not sent')
  t.equal((await send(app, 'GET /offers/1', { 'x-own': '1' })).headers['retry-after'], '30')
})
