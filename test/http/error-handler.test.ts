import t from 'tap'
import type { Test } from 'tap'
import type { FastifyInstance, RouteHandlerMethod } from 'fastify'
import { errorCodes, problemDetails, type ErrorCode, type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { gatedMemory, offersApp, seed, send, tagOf } from '../support/offers-app.js'

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
    type: 'https://example.com/problems/mismatch',
    title: 'The entity is another version',
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

await t.test('503 says when to try again if nothing was applied, unless the app says it (RFC 9110 10.2.3)', async (t) => {
  const storage = memoryAdapter({ around: () => { throw new Error('connect ECONNREFUSED 10.1.2.3') } })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.addHook('onError', async (request, reply) => {
      if (request.headers['x-own'] !== undefined) reply.header('retry-after', '30')
    })
  })
  for (const request of ['GET /offers/1', 'PUT /offers/1', 'PATCH /offers/1', 'POST /offers/1', 'DELETE /offers/1']) {
    const response = await send(app, request, request.startsWith('GET') ? {} : { 'if-match': '"x"' })
    t.match(response.json(), { statusCode: 503, code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    t.equal(response.headers['retry-after'], '1', request)
    t.notMatch(response.body, /10\.1\.2\.3/, 'the message of the driver is not sent')
  }
  t.equal((await send(app, 'GET /offers/1', { 'x-own': '1' })).headers['retry-after'], '30')
})

/** An app whose storage fails writes, removals, and reads of some keys with these codes. */
async function failingApp (t: Test, codes: Record<string, ErrorCode>, handler: RouteHandlerMethod, prepare?: Prepare) {
  const memory = memoryAdapter()
  const fail = (key: string): void => {
    const code = codes[key]
    if (code !== undefined) throw new errorCodes[code]()
  }
  const storage: StorageAdapter = {
    async read (key) { fail(`read ${key}`); return await memory.read(key) },
    async write (key, value, expectation) { fail(`write ${key}`); return await memory.write(key, value, expectation) },
    async remove (key, expectation) { fail(`remove ${key}`); return await memory.remove(key, expectation) }
  }
  const { app } = await offersApp(t, { storage }, (app) => {
    prepare?.(app)
    app.put('/act/:id', { config: { ifMatch: { key: '/offers/:id' } } }, handler)
  })
  await seed(memory)
  return async (request = 'PUT /act/1'): Promise<[number, unknown]> => {
    const response = await send(app, request, { 'if-match': '*' })
    return [response.statusCode, response.headers['retry-after']]
  }
}

type Prepare = (app: FastifyInstance) => void

const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
const UNKNOWN = 'FST_IF_MATCH_OUTCOME_UNKNOWN'

await t.test('a client is not told to send again what may have been applied: outcome unknown, late, on every method', async (t) => {
  for (const [code, retryAfter] of [
    [UNKNOWN, undefined],
    ['FST_IF_MATCH_LATE_WRITE', undefined],
    [UNAVAILABLE, '1'],
    ['FST_IF_MATCH_CONTENTION', '1']
  ] as const) {
    const codes = { 'write /offers/1': code, 'remove /offers/1': code }
    const act = await failingApp(t, codes, async (request) => await request.entity().replace({}))
    for (const request of ['PUT /offers/1', 'PATCH /offers/1', 'POST /offers/1', 'DELETE /offers/1', 'PUT /act/1']) {
      t.same(await act(request), [503, retryAfter], `${request} ${code}`)
    }
  }
  const read = await failingApp(t, { 'read /offers/1': UNKNOWN }, async () => {})
  t.same(await read('GET /offers/1'), [503, undefined])
})

await t.test('a client is not told to send again a request that applied one of its writes, or may have', async (t) => {
  const swallow = async (promise: Promise<unknown>): Promise<void> => { await promise.catch(() => {}) }
  const handlers: Record<string, [Record<string, ErrorCode>, RouteHandlerMethod, string | undefined]> = {
    'own, then a further one': [{ 'write /log/1': UNAVAILABLE }, async (request) => {
      await request.entity().replace({})
      await request.entity('/log/1').create({})
    }, undefined],
    'own removed, then a further one is read': [{ 'read /log/1': UNAVAILABLE }, async (request) => {
      await request.entity().remove()
      await request.entity('/log/1').read()
    }, undefined],
    'a further one, then own': [{ 'write /offers/1': UNAVAILABLE }, async (request) => {
      await request.entity('/log/1').create({})
      await request.entity().replace({})
    }, undefined],
    'unknown, then unavailable': [{ 'write /log/1': UNKNOWN, 'write /offers/1': UNAVAILABLE }, async (request) => {
      await swallow(request.entity('/log/1').create({}))
      await request.entity().replace({})
    }, undefined],
    'nothing: a further one is not read': [{ 'read /log/1': UNAVAILABLE }, async (request) => {
      await request.entity('/log/1').read()
    }, '1'],
    'nothing: refused, then unavailable': [{ 'write /offers/1': UNAVAILABLE }, async (request) => {
      await swallow(request.entity('/offers/2').update((offer) => offer))
      await request.entity().unchanged()
      await request.entity().replace({})
    }, '1'],
    'nothing: an error of the app, then unavailable': [{ 'write /offers/1': UNAVAILABLE }, async (request) => {
      await swallow(request.entity().update(() => { throw new Error('no') }))
      await request.entity().replace({})
    }, '1'],
    'nothing, in words of the app': [{ 'write /offers/1': UNAVAILABLE }, async (request) => {
      await swallow(request.entity().replace({}))
      throw Object.assign(new Error('mine'), { statusCode: 503 })
    }, '1']
  }
  for (const [title, [codes, handler, retryAfter]] of Object.entries(handlers)) {
    const act = await failingApp(t, codes, handler)
    t.same(await act(), [503, retryAfter], title)
  }
})

await t.test('a 503 of the app itself has no Retry-After of ours', async (t) => {
  const act = await failingApp(t, {}, async () => { throw Object.assign(new Error('busy'), { statusCode: 503 }) })
  t.same(await act(), [503, undefined])
})

await t.test('a 503 that overtakes a write has no Retry-After: the write is in flight (handlerTimeout, another failure)', async (t) => {
  for (const url of ['/timeout/1', '/other/1']) {
    const gate = gatedMemory('after')
    const { app } = await offersApp(t, { storage: gate.storage }, (app) => {
      const config = { ifMatch: { key: '/offers/:id' } }
      app.put('/timeout/:id', { config, handlerTimeout: 20 }, async (request) => await request.entity().replace({}))
      app.put('/other/:id', { config }, async (request) => {
        const read = gate.arrival.then(async () => {
          setImmediate(gate.open)
          throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE()
        })
        gate.storage.read = async () => await read
        await Promise.all([request.entity().replace({}), request.entity('/log/1').read()])
      })
      app.addHook('onResponse', async () => { gate.open() })
    })
    await seed(gate.storage)
    gate.hold('write')
    const response = await send(app, `PUT ${url}`, { 'if-match': '*' })
    t.same([response.statusCode, response.headers['retry-after']], [503, undefined], url)
  }
})
