import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import net from 'node:net'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import t from 'tap'
import type { FastifyInstance } from 'fastify'
import ifMatch, {
  errorCodes,
  OUTCOME_CHANNEL,
  type ErrorCode,
  type IfMatchRouteOptions,
  type Outcome,
  type OutcomeMessage,
  type StorageAdapter
} from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { aroundAdapter } from '../support/around-adapter.js'
import { barrier } from '../support/barrier.js'
import { addOfferRoutes, listen, newApp, offersApp, seed, send } from '../support/offers-app.js'
import { ordersApp, save } from '../support/orders-app.js'
import { listenTo, taken } from '../support/outcomes.js'
import { until } from '../support/until.js'
import { withoutPauses } from '../support/without-pauses.js'

const OFFERS = { ifMatch: { key: '/offers/:id' } }
const ANY = { 'if-match': '*' }

await t.test('outcome "applied": a write by its strategy, with one attempt, and the pattern of the route', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t)
  const created = await send(app, 'PUT /offers/1', { 'if-none-match': '*' })
  const { headers: { etag } } = await send(app, 'PUT /offers/1', { 'if-match': created.headers.etag })
  const patched = await send(app, 'PATCH /offers/1', { 'if-match': `"a", ${etag}` })
  t.equal(patched.statusCode, 200)
  t.equal((await send(app, 'DELETE /offers/1', ANY)).statusCode, 204)
  t.match(messages[0]!, { route: '/offers/:id', method: 'PUT', status: 201, attempts: 1, isLetThrough: false })
  t.same(messages.map(({ status, method, attempts, code }) => [status, method, attempts, code]), [
    [201, 'PUT', 1, undefined], [200, 'PUT', 1, undefined], [200, 'PATCH', 1, undefined], [204, 'DELETE', 1, undefined]
  ])
  t.ok(messages.every(({ storageTime }) => storageTime > 0))
  t.strictSame(await taken(messages, 4), ['create', 'tag', 'list', 'wildcard'].map((strategy) => `applied ${strategy}`))
  t.equal(await storage.read('/offers/1'), undefined)
})

await t.test('outcome "applied": whatever was answered behind the write, also by an error of a later step', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/then/:id', { config: OFFERS }, async (request) => {
      await request.entity().replace({})
      await request.entity('/log/1').read()
    })
  })
  await seed(storage)
  t.equal((await send(app, 'POST /then/1', ANY)).statusCode, 404)
  t.match(messages, [{ outcome: 'applied', status: 404, code: 'FST_IF_MATCH_ENTITY_ABSENT' }])
})

await t.test('outcome "applied": a transaction, whose time in the storage has that of its operations once', async (t) => {
  const { app, tag } = await ordersApp(t, (app) => {
    app.put<{ Params: { id: string } }>('/orders/:id', { config: { ifMatch: true } }, async (request) =>
      (await request.entity().transaction(async (tx: never) => {
        await Promise.all([request.entity().read(), request.entity('/orders/2').read().catch(() => {})])
        save(tx, request.params.id, { customer: 'Bea', lines: [] })
        return {}
      })).value)
  })
  const etag = await tag()
  const messages = listenTo(t)
  const before = performance.now()
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': etag })).statusCode, 200)
  t.match(messages, [{ outcome: 'applied', strategy: 'tag', attempts: 1 }])
  t.ok(messages[0]!.storageTime <= performance.now() - before)
})

await t.test('outcome "unchanged": the precondition held, and the handler wrote nothing', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/same/:id', { config: OFFERS }, async (request) => (await request.entity().unchanged()).value)
    app.post('/both/:id', { config: OFFERS }, async (request) => {
      await request.entity().replace({})
      return (await request.entity().unchanged()).value
    })
  })
  const etag = await seed(storage)
  t.equal((await send(app, 'POST /same/1', { 'if-match': etag })).statusCode, 200)
  t.match(messages, [{ attempts: 0 }])
  t.equal((await send(app, 'POST /both/1', { 'if-match': etag })).statusCode, 200)
  t.strictSame(await taken(messages, 2), ['unchanged tag', 'applied tag'])
})

await t.test('outcome "repeated": a write that was applied when it was sent before; a key of another write is "invalid", one that cannot be read "malformed"', async (t) => {
  const { app, storage } = await offersApp(t, { resend: { caller: () => 'ann' } })
  const etag = await seed(storage)
  const headers = { 'if-match': etag, 'idempotency-key': '"a"' }
  t.equal((await send(app, 'PUT /offers/1', headers, { title: 'new' })).statusCode, 200)
  const messages = listenTo(t)
  t.equal((await send(app, 'PUT /offers/1', headers, { title: 'new' })).statusCode, 200)
  t.match(messages, [{ outcome: 'repeated', attempts: 0, code: undefined }])
  t.equal((await send(app, 'PUT /offers/1', headers, { title: 'other' })).statusCode, 422)
  t.equal((await send(app, 'PUT /offers/1', { ...headers, 'idempotency-key': '' })).statusCode, 400)
  t.strictSame(await taken(messages, 3), ['repeated tag', 'invalid tag', 'malformed tag'])
})

await t.test('outcomes "read" and "not-modified": a GET or HEAD, late and early (RFC 9110 13.1.2)', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/early/:id', { config: { ifMatch: { ...OFFERS.ifMatch, notModified: 'early' } } }, async (request) =>
      (await request.entity().read()).value)
    app.get('/default/:id', { config: OFFERS }, async (request) => await request.entity().read().catch(() => ({})))
  })
  const etag = await seed(storage)
  const copy = { 'if-none-match': etag }
  for (const request of ['GET /offers/1', 'HEAD /offers/1', 'GET /early/1']) {
    await send(app, request)
    await send(app, request, copy)
  }
  t.same(messages.map(({ status }) => status), [200, 304, 200, 304, 200, 304])
  t.strictSame(await taken(messages, 6), [0, 1, 2].flatMap(() => ['read none', 'not-modified revalidation']))
  await send(app, 'GET /offers/1', { 'if-match': etag })
  t.strictSame(await taken(messages), ['read tag'])
})

await t.test('outcome "missing": refused with 400 or 428 (RFC 6585 3); what is let through has its own outcome, and isLetThrough', async (t) => {
  for (const [missing, status] of [[400, 400], [428, 428], ['allow', 200], ['warn', 200]] as const) {
    const messages = listenTo(t)
    const { app, storage } = await offersApp(t, { missing })
    await seed(storage)
    t.equal((await send(app, 'PATCH /offers/1')).statusCode, status)
    const isLetThrough = status === 200
    t.match(messages, [{
      status,
      strategy: 'none',
      outcome: isLetThrough ? 'applied' : 'missing',
      isLetThrough,
      code: isLetThrough ? undefined : 'FST_IF_MATCH_REQUIRED'
    }], String(missing))
    await send(app, 'PATCH /offers/2')
    t.match(messages[1], { outcome: isLetThrough ? 'absent' : 'missing', isLetThrough })
    await send(app, 'PATCH /offers/1', ANY)
    t.match(messages[2], { outcome: 'applied', isLetThrough: false })
  }
})

await t.test('outcome "malformed": a field that is no list of tags', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t)
  await seed(storage)
  for (const headers of [{ 'if-match': 'x' }, { 'if-none-match': 'x' }]) await send(app, 'PUT /offers/1', headers)
  await send(app, 'GET /offers/1', { 'if-none-match': 'x' })
  t.same(messages.map(({ code, status }) => [code, status]), Array(3).fill(['FST_IF_MATCH_MALFORMED', 400]))
  t.strictSame(await taken(messages, 3), Array(3).fill('malformed none'))
})

for (const precheck of [true, false]) {
  await t.test(`outcomes "mismatch" and "exists": a precondition is false, precheck ${precheck} (RFC 9110 13.2.2)`, async (t) => {
    const messages = listenTo(t)
    const { app, storage } = await offersApp(t, { precheck })
    await seed(storage)
    await send(app, 'PUT /offers/1', { 'if-match': '"x"' })
    await send(app, 'PUT /offers/1', { 'if-none-match': '*' })
    await send(app, 'GET /offers/1', { 'if-match': '"x"' })
    t.same(messages.map(({ status, attempts }) => [status, attempts]), [[412, precheck ? 0 : 1], [412, 1], [412, 0]])
    t.strictSame(await taken(messages, 3), ['mismatch tag', 'exists create', 'mismatch tag'])
  })

  await t.test(`outcome "absent": there is no such entity, precheck ${precheck} (RFC 9110 13.2.1)`, async (t) => {
    const messages = listenTo(t)
    const { app } = await offersApp(t, { precheck }, (app) => {
      app.get('/hook/:id', {
        config: OFFERS,
        preHandler: async (request) => { await request.entity().read() }
      }, async () => 'never')
    })
    await send(app, 'GET /offers/1')
    await send(app, 'PATCH /offers/1', ANY)
    await send(app, 'DELETE /offers/1', { 'if-match': '"x"' })
    await send(app, 'GET /hook/1')
    t.same(messages.map(({ status }) => status), [404, 404, 404, 404])
    t.strictSame(await taken(messages, 4), ['absent none', 'absent wildcard', 'absent tag', 'absent none'])
  })
}

/** An app whose storage fails each write with this error. */
async function failing (t: Parameters<typeof offersApp>[0], code: ErrorCode, options: IfMatchRouteOptions = {}) {
  const memory = memoryAdapter()
  const storage: StorageAdapter = { ...memory, write: async () => { throw new errorCodes[code]() } }
  await seed(memory)
  return await offersApp(t, { storage, ...options })
}

for (const [outcome, code, status] of [
  ['conflict', 'FST_IF_MATCH_CONSTRAINT', 409],
  ['contention', 'FST_IF_MATCH_CONTENTION', 503],
  ['unavailable', 'FST_IF_MATCH_STORAGE_UNAVAILABLE', 503],
  ['unknown', 'FST_IF_MATCH_OUTCOME_UNKNOWN', 503],
  ['failed', 'FST_IF_MATCH_STORAGE_FAULT', 500]
] as const) {
  await t.test(`outcome "${outcome}": the storage fails a write with ${code}`, async (t) => {
    const messages = listenTo(t)
    const { app } = await failing(t, code)
    t.equal((await send(app, 'PUT /offers/1', ANY)).statusCode, status)
    t.match(messages, [{ outcome, status, code, attempts: 1, strategy: 'wildcard' }])
  })
}

await t.test('outcome "unavailable": a comparison or a read that the storage does not answer', async (t) => {
  const messages = listenTo(t)
  const { app } = await offersApp(t, { storage: memoryAdapter({ around: () => { throw new Error('ECONNREFUSED') } }) })
  await send(app, 'GET /offers/1')
  await send(app, 'PUT /offers/1', { 'if-match': '"x"' })
  t.strictSame(await taken(messages, 2), ['unavailable none', 'unavailable tag'])
})

await t.test('outcome "contention": each attempt is counted, of a write that gave up and of one that came through', async (t) => {
  withoutPauses(t)
  const messages = listenTo(t)
  const memory = memoryAdapter()
  let inTheWay = 2
  const storage = aroundAdapter(memory, async (step, operation) => {
    if (operation === 'write' && inTheWay-- > 0) await memory.write('/offers/1', {}, { kind: 'any' })
    return await step()
  })
  const { app } = await offersApp(t, { storage })
  await seed(memory)
  await send(app, 'PATCH /offers/1', ANY)
  inTheWay = Infinity
  await send(app, 'PATCH /offers/1', ANY)
  t.match(messages, [{ outcome: 'applied', attempts: 3 }, { outcome: 'contention', attempts: 48, status: 503 }])
})

await t.test('outcome "invalid": a key or a value that cannot be stored, or a part of a value', async (t) => {
  const messages = listenTo(t)
  const { app } = await offersApp(t, {}, (app) => {
    app.put('/key/:id', { config: { ifMatch: { key: () => '\0' } } }, async () => ({}))
  })
  await send(app, 'PUT /key/1', ANY)
  await app.inject({
    method: 'PUT',
    url: '/offers/1',
    payload: '{"price":1e400}',
    headers: { 'if-none-match': '*', 'content-type': 'application/json' }
  })
  await send(app, 'PUT /offers/1', { ...ANY, 'content-range': 'bytes 0-1/4' })
  t.same(messages.map(({ status }) => status), [400, 422, 400])
  t.strictSame(await taken(messages, 3), ['invalid wildcard', 'invalid create', 'invalid wildcard'])
})

await t.test('outcome "declined": the app answered by itself, by a hook, a validation, its handler or a redirect', async (t) => {
  const messages = listenTo(t)
  const declines = (name: string) => (app: FastifyInstance): void => {
    app.addHook('onRequest', async (request, reply) => {
      const status = Number(request.headers[name])
      if (status > 0) return await reply.code(status).send({})
    })
  }
  const { app, storage } = await offersApp(t, {}, (app) => {
    declines('x-status')(app)
    app.put('/strict/:id', {
      config: OFFERS, schema: { body: { type: 'object', required: ['title'] } }
    }, async (request) => await request.entity().replace(request.body))
    app.put('/handler/:id', { config: OFFERS }, async (_request, reply) => await reply.code(403).send({}))
    app.put('/throws/:id', { config: OFFERS }, () => { throw Object.assign(new Error('mine'), { statusCode: 409 }) })
    app.put('/further/:id', { config: OFFERS }, async (request, reply) => {
      await request.entity('/log/1').read().catch(() => {})
      return await reply.code(422).send({})
    })
  })
  await seed(storage)
  for (const status of ['401', '302', '503']) await send(app, 'PUT /offers/1', { ...ANY, 'x-status': status })
  for (const path of ['strict', 'handler', 'throws', 'further']) await send(app, `PUT /${path}/1`, ANY)
  t.same(messages.map(({ status }) => status), [401, 302, 503, 400, 403, 409, 422])
  t.strictSame(await taken(messages, 7), Array(7).fill('declined wildcard'))
})

await t.test('outcome "failed": a mistake of the server, in a handler, the plugin or the options', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/forgets/:id', { config: OFFERS }, async () => ({}))
    app.put('/forgets-text/:id', { config: OFFERS }, async () => 'text')
    app.put('/throws/:id', { config: OFFERS }, async () => { throw new Error('mine') })
    app.put('/raw/:id', { config: OFFERS }, async (_request, reply) => { reply.hijack().raw.end('{}') })
    app.put('/date/:id', { config: OFFERS }, async (request) => await request.entity().replace(new Date()))
    app.put('/key/:id', { config: { ifMatch: { key: () => 7 as never } } }, async () => ({}))
  })
  await seed(storage)
  for (const path of ['forgets', 'forgets-text', 'throws', 'raw', 'date', 'key']) await send(app, `PUT /${path}/1`, ANY)
  await until('the hijacked one', () => messages.length === 6)
  t.same(messages.map(({ status, code }) => [status, code?.slice('FST_IF_MATCH_'.length)]), [
    [500, 'NOT_WRITTEN'], [500, 'NOT_WRITTEN'], [500, undefined], [200, undefined], [500, 'NOT_JSON'],
    [500, 'INVALID_OPTIONS']
  ])
  t.strictSame(await taken(messages, 6), Array(6).fill('failed wildcard'))
})

await t.test('outcome "late": the timeout of the handler answered first, and nothing was written', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/slow/:id', { config: OFFERS, handlerTimeout: 20 }, async (request) => {
      await once(request.signal, 'abort')
      await request.entity().replace({})
    })
  })
  await seed(storage)
  t.equal((await send(app, 'PUT /slow/1', ANY)).statusCode, 503)
  t.match(messages, [{ outcome: 'late', status: 503 }])
})

for (const [outcome, code] of [
  ['applied', undefined],
  ['unknown', 'FST_IF_MATCH_OUTCOME_UNKNOWN'],
  ['late', 'FST_IF_MATCH_CONTENTION']
] as const) {
  await t.test(`a write that an answer overtook: its outcome is told when it has ended, with the status that was answered (${outcome})`, async (t) => {
    const messages = listenTo(t)
    const gate = barrier()
    const storage = aroundAdapter(memoryAdapter(), async (step, operation) => {
      if (operation !== 'write') return await step()
      await gate.opened
      if (code !== undefined) throw new errorCodes[code]()
      return await step()
    })
    // It never looks whether anybody waits still.
    const deaf: StorageAdapter = { ...storage, write: (...[key, value, of]) => storage.write(key, value, of) }
    const { app } = await offersApp(t, { storage: deaf, create: 'wildcard' }, (app) => {
      app.put('/slow/:id', {
        config: { ifMatch: { ...OFFERS.ifMatch, create: 'wildcard' } }, handlerTimeout: 20
      }, async (request) => await request.entity().replace({}))
    })
    t.equal((await send(app, 'PUT /slow/1', ANY)).statusCode, 503)
    t.equal(messages.length, 0)
    gate.open()
    t.strictSame(await taken(messages), [`${outcome} wildcard`])
  })
}

await t.test('a handler that answers inside of the function of an update has declined', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/inside/:id', { config: OFFERS }, async (request, reply) => {
      await request.entity().update(() => reply.code(409).send({}) as never)
    })
  })
  await seed(storage)
  t.equal((await send(app, 'PUT /inside/1', ANY)).statusCode, 409)
  t.strictSame(await taken(messages), ['declined wildcard'])
})

/** Sends a PUT, and hangs up at a point of the test. */
async function hungUp (app: FastifyInstance, path: string, moment: Promise<unknown>): Promise<void> {
  const socket = net.connect(await listen(app), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`PUT ${path} HTTP/1.1\r\nHost: a\r\nIf-Match: *\r\nContent-Length: 2\r\n` +
    'Content-Type: application/json\r\n\r\n{}')
  await moment
  socket.destroy()
}

await t.test('outcome "aborted": the client was gone before the answer, and nothing was written', async (t) => {
  const messages = listenTo(t)
  const entered = barrier()
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/slow/:id', { config: OFFERS }, async (request, reply) => {
      entered.open()
      await once(reply.raw, 'close')
      await request.entity().replace({})
    })
  })
  await seed(storage)
  await hungUp(app, '/slow/1', entered.opened)
  await until('the outcome', () => messages.length > 0)
  t.match(messages, [{ outcome: 'aborted', status: undefined, attempts: 0 }])
})

await t.test('outcome "aborted": the client was gone while a hook ahead of the plugin waited', async (t) => {
  const messages = listenTo(t)
  const entered = barrier()
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.addHook('onRequest', async (_request, reply) => {
      entered.open()
      await once(reply.raw, 'close')
    })
  })
  await seed(storage)
  await hungUp(app, '/offers/1', entered.opened)
  await until('the outcome', () => messages.length > 0)
  t.match(messages, [{ outcome: 'aborted', status: undefined, attempts: 0 }])
})

for (const [outcome, code] of [
  ['applied', undefined],
  ['unknown', 'FST_IF_MATCH_OUTCOME_UNKNOWN'],
  ['aborted', 'FST_IF_MATCH_PRECONDITION_FAILED']
] as const) {
  await t.test(`a client that was gone while a write was in flight: its outcome is "${outcome}" once it has ended with ${code ?? 'success'}`, async (t) => {
    const messages = listenTo(t)
    const [arrival, gate] = [barrier(), barrier()]
    const memory = memoryAdapter()
    await seed(memory)
    const storage = aroundAdapter(memory, async (step, operation) => {
      if (operation !== 'write') return await step()
      const result = await step()
      arrival.open()
      await gate.opened
      if (code !== undefined) throw new errorCodes[code]()
      return result
    })
    const { app } = await offersApp(t, { storage }, (app) => {
      app.put('/slow/:id', { config: OFFERS }, async (request, reply) => {
        reply.raw.once('close', () => {
          t.equal(messages.length, 0)
          gate.open()
        })
        await request.entity().replace({})
      })
    })
    await hungUp(app, '/slow/1', arrival.opened)
    await until('the outcome', () => messages.length > 0)
    t.match(messages, [{ outcome, status: undefined, code, attempts: 1 }])
  })
}

await t.test('the refusal of a write counts in whatever words: wrapped, answered by the handler or by an error handler', async (t) => {
  const messages = listenTo(t)
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.setErrorHandler((error, _request, reply) => reply.code(409).send({ own: (error as Error).message }))
    app.put('/wraps/:id', { config: { ifMatch: { ...OFFERS.ifMatch, precheck: false } } }, async (request) => {
      try {
        return await request.entity().replace({})
      } catch (cause) {
        throw new Error('mine', { cause: new Error('inner', { cause }) })
      }
    })
    app.put('/answers/:id', { config: { ifMatch: { ...OFFERS.ifMatch, precheck: false } } }, async (request, reply) =>
      await request.entity().replace({}).catch(() => reply.code(409).send({})))
    app.put('/calls-back/:id', { config: { ifMatch: { ...OFFERS.ifMatch, precheck: false } } }, (request, reply) => {
      request.entity().replace({}).then(() => reply.send({}), (error) => reply.send(error))
    })
  })
  await seed(storage)
  for (const path of ['wraps', 'answers', 'calls-back', 'offers']) {
    t.equal((await send(app, `PUT /${path}/1`, { 'if-match': '"x"' })).statusCode, 409)
  }
  t.same(messages.map(({ code }) => code), Array(4).fill('FST_IF_MATCH_PRECONDITION_FAILED'))
  t.strictSame(await taken(messages, 4), Array(4).fill('mismatch tag'))
})

await t.test('causes that lead in a circle, and errors that are none, end the request and not the search', async (t) => {
  const messages = listenTo(t)
  const thrown: unknown[] = [Object.assign(new Error('round'), { cause: {} }), 'text', null]
  ;(thrown[0] as { cause: unknown }).cause = thrown[0]
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/throws/:id', { config: OFFERS }, async () => { throw thrown.shift() })
  })
  await seed(storage)
  for (let count = thrown.length; count > 0; count--) t.equal((await send(app, 'PUT /throws/1', ANY)).statusCode, 500)
  t.strictSame(await taken(messages, 3), Array(3).fill('failed wildcard'))
})

await t.test('a message has neither the key nor a value nor a header, and the request and the key for who asks for them', async (t) => {
  const messages = listenTo(t)
  const { app } = await offersApp(t)
  await send(app, 'PUT /offers/k3y?q=s3cret', { 'if-none-match': '*', authorization: 's3cret' }, { title: 's3cret' })
  const [message] = messages as [OutcomeMessage]
  const shown = [JSON.stringify(message), inspect(message, { depth: 9 }), JSON.stringify({ ...message })]
  for (const text of shown) t.notMatch(text, /k3y|s3cret/)
  t.strictSame(Object.keys(message).sort(), [
    'attempts', 'code', 'isLetThrough', 'method', 'outcome', 'route', 'status', 'storageTime', 'strategy'
  ])
  t.same([message.key, message.request.headers.authorization], ['/offers/k3y', 's3cret'])
})

await t.test('one message a request: of scopes inside of scopes, a hook that runs twice, HEAD, HTTP/2 and callNotFound; none of OPTIONS and of routes that are not guarded', async (t) => {
  const messages = listenTo(t)
  const storage = memoryAdapter()
  await seed(storage)
  const app = newApp(t, { http2: true } as never)
  app.addHook('onRoute', (route) => {
    // As instrumentation does: it wraps the hooks that it finds, ours among them.
    const hooks = ([] as unknown[]).concat(route.onSend ?? []) as Array<(...args: unknown[]) => unknown>
    Object.assign(route, {
      onSend: hooks.map((hook) => function (this: unknown, ...args: unknown[]) {
        return hook.apply(this, args)
      })
    })
  })
  await app.register(ifMatch, { storage, global: ['PUT'] })
  await app.register(async (scope) => {
    await scope.register(ifMatch, { storage })
    addOfferRoutes(scope)
    scope.put('/nowhere/:id', { config: OFFERS }, async (_request, reply) => { reply.callNotFound() })
    scope.options('/offers/:id', { config: OFFERS }, async () => 'fine')
    scope.get('/plain', async () => 'plain')
  })
  const session = connectHttp2(`http://127.0.0.1:${await listen(app)}`)
  t.teardown(() => { session.destroy() })
  const ask = async (method: string, path: string): Promise<void> => {
    const stream = session.request({ ':method': method, ':path': path, 'if-match': '*' })
    await once(stream.end().resume(), 'close')
  }
  for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) await ask(method, '/offers/1')
  await ask('GET', '/plain')
  await ask('PUT', '/nowhere/1')
  t.match(messages.map(({ method, route, outcome, status }) => [method, route, outcome, status]), [
    ['GET', '/offers/:id', 'read', 200],
    ['HEAD', '/offers/:id', 'read', 200],
    ['POST', '/offers/:id', 'applied', 200],
    ['PUT', '/nowhere/:id', 'declined', 404]
  ])
  t.equal(messages.length, 4)
})

await t.test('who begins to listen in the middle of a request hears of the next one, and nobody measures the first', async (t) => {
  const heard: Outcome[] = []
  const listener = (message: unknown): void => { heard.push((message as OutcomeMessage).outcome) }
  t.teardown(() => { unsubscribe(OUTCOME_CHANNEL, listener) })
  const now = performance.now.bind(performance)
  let looks = 0
  t.intercept(performance, 'now', { value: () => { looks++; return now() } })
  const inHandler: number[] = []
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/looks/:id', { config: OFFERS, preHandler: async () => { looks = 0 } }, async (request) => {
      await request.entity().replace({})
      inHandler.push(looks)
      if (inHandler.length === 1) subscribe(OUTCOME_CHANNEL, listener)
      return {}
    })
  })
  await seed(storage)
  await send(app, 'PUT /looks/1', ANY)
  t.strictSame([heard, inHandler], [[], [0]])
  await send(app, 'PUT /looks/1', ANY)
  t.strictSame([heard, inHandler], [['applied'], [0, 2]])
})

await t.test('a listener runs inside of the request: it finds the context that hooks of the app have set, ahead of its end', async (t) => {
  const context = new AsyncLocalStorage<string>()
  const found: unknown[] = []
  const listener = (): void => { found.push(context.getStore()) }
  subscribe(OUTCOME_CHANNEL, listener)
  t.teardown(() => { unsubscribe(OUTCOME_CHANNEL, listener) })
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.addHook('onRequest', (request, _reply, done) => { context.run(request.url, done) })
    app.addHook('onRequest', async (_request, reply) => {
      // As instrumentation does, which ends its span then.
      reply.raw.on('close', () => { found.push('closed') })
    })
    app.put('/streams/:id', { config: OFFERS }, async (request, reply) => {
      await request.entity().replace({})
      return reply.send(Readable.from(['text']))
    })
  })
  await seed(storage)
  // Over a socket, as the answer of `inject` is out at once.
  const origin = `http://127.0.0.1:${await listen(app)}`
  for (const [path, headers] of [['/offers/1', ANY], ['/offers/1', {}], ['/streams/1', ANY]] as const) {
    await (await fetch(origin + path, { method: 'PUT', headers: headers as Record<string, string> })).text()
    await until('the end of the request', () => found.at(-1) === 'closed')
    t.strictSame(found.splice(0), [path, 'closed'])
  }
})

await t.test('a listener that throws breaks no request: Node.js throws its error in a later turn', async (t) => {
  const thrown = barrier<unknown>()
  const listener = (): void => { throw new Error('of the listener') }
  subscribe(OUTCOME_CHANNEL, listener)
  t.teardown(() => { unsubscribe(OUTCOME_CHANNEL, listener) })
  const { app, storage } = await offersApp(t)
  await seed(storage)
  process.setUncaughtExceptionCaptureCallback(thrown.open)
  t.teardown(() => { process.setUncaughtExceptionCaptureCallback(null) })
  t.equal((await send(app, 'PATCH /offers/1', ANY)).statusCode, 200)
  t.match(await thrown.opened, { message: 'of the listener' })
})
