import { connect } from 'node:http2'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { FastifyInstance, FastifyReply } from 'fastify'
import ifMatch, { errorCodes, type IfMatchError, type IfMatchRouteOptions, type RouteRequest } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { barrier } from '../support/barrier.js'
import { addOfferRoutes, listen, newApp, offersApp, seed, send, statusOf } from '../support/offers-app.js'
import { listenTo } from '../support/outcomes.js'
import { until } from '../support/until.js'

const OFFERS = { key: '/offers/:id' }
const STALE = { 'if-match': '"x"' }

/** An `onRefused` that keeps what it is told: the request, what was answered, and the code. */
function keeper () {
  const told: string[] = []
  const onRefused = ({ method, url }: RouteRequest, { statusCode }: FastifyReply, { code }: IfMatchError): void => {
    told.push(`${method} ${url} ${statusCode} ${code.slice('FST_IF_MATCH_'.length)}`)
  }
  return { told, onRefused }
}

/** An app of offers with routes of its own, and what its `onRefused` was told. */
async function keepingApp (t: Test, options: IfMatchRouteOptions = {}, prepare?: (app: FastifyInstance) => unknown) {
  const { told, onRefused } = keeper()
  const { app, storage } = await offersApp(t, { onRefused, ...options }, prepare)
  await seed(storage)
  /** Sends a request; gives what was told of it, once the next request has been told of. */
  const toldOf = async (request: string, headers: object, body?: object): Promise<string[]> => {
    await send(app, request, headers as Record<string, string>, body)
    await send(app, 'DELETE /offers/last')
    await until('the last request', () => told.at(-1)?.startsWith('DELETE /offers/last '))
    return told.splice(0).slice(0, -1)
  }
  return { app, storage, onRefused, toldOf }
}

for (const precheck of [true, false]) {
  await t.test(`onRefused: each refusal is told once, with the status that was answered, and nothing else is (precheck ${precheck})`, async (t) => {
    const { toldOf } = await keepingApp(t, { precheck })
    t.strictSame(await toldOf('PUT /offers/1', {}), ['PUT /offers/1 400 REQUIRED'])
    t.strictSame(await toldOf('PUT /offers/1', { 'if-match': 'x' }), ['PUT /offers/1 400 MALFORMED'])
    t.strictSame(await toldOf('PUT /offers/1', STALE), ['PUT /offers/1 412 PRECONDITION_FAILED'])
    t.strictSame(await toldOf('GET /offers/1', STALE), ['GET /offers/1 412 PRECONDITION_FAILED'])
    t.strictSame(await toldOf('GET /offers/2', {}), ['GET /offers/2 404 ENTITY_ABSENT'])
    t.strictSame(await toldOf('PUT /offers/1', { 'if-match': '*', 'content-range': 'x' }), [
      'PUT /offers/1 400 CONTENT_RANGE'
    ])
    for (const request of ['GET /offers/1', 'PUT /offers/1', 'PATCH /offers/1', 'OPTIONS /offers/1']) {
      t.strictSame(await toldOf(request, { 'if-match': '*' }), [], request)
    }
  })
}

await t.test('onRefused: refusals of the storage are told, its mistakes and those of the app are not', async (t) => {
  for (const [code, told] of [
    ['FST_IF_MATCH_CONTENTION', ['PUT /offers/1 503 CONTENTION']],
    ['FST_IF_MATCH_STORAGE_UNAVAILABLE', ['PUT /offers/1 503 STORAGE_UNAVAILABLE']],
    ['FST_IF_MATCH_OUTCOME_UNKNOWN', ['PUT /offers/1 503 OUTCOME_UNKNOWN']],
    ['FST_IF_MATCH_CONSTRAINT', ['PUT /offers/1 409 CONSTRAINT']],
    ['FST_IF_MATCH_STORAGE_FAULT', []]
  ] as const) {
    const memory = memoryAdapter()
    let fails = false
    const { toldOf } = await keepingApp(t, {
      storage: {
        ...memory,
        write: async (...args) => {
          if (fails) throw new errorCodes[code]()
          return await memory.write(...args)
        }
      }
    })
    fails = true
    t.strictSame(await toldOf('PUT /offers/1', { 'if-match': '*' }), told, code)
  }
  const { toldOf } = await keepingApp(t, {}, (app) => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers['x-stop'] !== undefined) return await reply.code(401).send({})
    })
  })
  t.strictSame(await toldOf('PUT /offers/1', { 'x-stop': '1' }), [], 'ahead of the plugin')
})

await t.test('onRefused: an error that a handler caught is told if the request ended with an error, and not if it went on', async (t) => {
  const { told, onRefused } = keeper()
  const { toldOf } = await keepingApp(t, {}, (app) => {
    const config = { ifMatch: { ...OFFERS, precheck: false, onRefused } }
    app.get('/default/:id', { config }, async (request) => await request.entity().read().catch(() => ({})))
    app.put('/further/:id', { config }, async (request) => {
      await request.entity('/log/1').read().catch(() => {})
      return await request.entity().replace({})
    })
    app.put('/own/:id', { config }, async (request, reply) =>
      await request.entity().replace({}).catch(() => reply.code(409).send({})))
    app.put('/swallows/:id', { config }, async (request) => await request.entity().replace({}).catch(() => ({})))
  })
  await toldOf('GET /default/2', {})
  await toldOf('PUT /further/1', { 'if-match': '*' })
  t.strictSame(told, [])
  await toldOf('PUT /own/1', STALE)
  await toldOf('PUT /swallows/1', STALE)
  t.strictSame(told, ['PUT /own/1 409 PRECONDITION_FAILED', 'PUT /swallows/1 412 PRECONDITION_FAILED'])
})

await t.test('onRefused: the error of the plugin is told, whatever handlers of the app make of it: another error, status or a failure', async (t) => {
  const { toldOf } = await keepingApp(t, {}, (app) => {
    app.setErrorHandler((error, request, reply) => {
      if (request.headers['x-handler'] === 'throws') throw new Error('of the error handler')
      if (request.headers['x-handler'] === 'forgets') return reply.send({ forgot: true })
      return reply.code(409).send({ own: (error as Error).message })
    })
    app.addHook('onSend', async (request, _reply, payload) => {
      if (request.headers['x-hook'] !== undefined) throw new Error('of a hook')
      return payload
    })
  })
  t.strictSame(await toldOf('PUT /offers/1', STALE), ['PUT /offers/1 409 PRECONDITION_FAILED'])
  t.strictSame(await toldOf('PUT /offers/1', { ...STALE, 'x-handler': 'forgets' }), [
    'PUT /offers/1 200 PRECONDITION_FAILED'
  ])
  t.strictSame(await toldOf('PUT /offers/1', { ...STALE, 'x-handler': 'throws' }), [
    'PUT /offers/1 500 PRECONDITION_FAILED'
  ])
  t.match(await toldOf('PUT /offers/1', { ...STALE, 'x-hook': '1' }), [/^PUT \/offers\/1 \d+ PRECONDITION_FAILED$/])
})

await t.test('onRefused: it cannot change the answer, and what it throws or rejects with is logged and ignored', async (t) => {
  const lines: string[] = []
  const logger = { level: 'error', stream: { write: (line: string) => { lines.push(line) } } }
  const faults: Array<() => unknown> = [
    () => { throw new Error('thrown') },
    async () => { throw new Error('rejected') },
    () => {}
  ]
  const { app, storage } = await offersApp(t, {
    onRefused (_request, reply) {
      reply.code(200)
      void reply.header('x-late', '1').send({ late: true })
      return faults.shift()!()
    }
  }, undefined, { logger })
  const etag = await seed(storage)
  for (const what of ['thrown', 'rejected', '']) {
    const answer = await send(app, 'PUT /offers/1', STALE)
    t.match([answer.statusCode, answer.headers.etag, answer.headers['x-late']], [412, etag, undefined])
    await until('the function', () => faults.length === (what === 'thrown' ? 2 : what === 'rejected' ? 1 : 0))
  }
  await until('two lines', () => lines.length >= 2)
  t.match(lines.map((line) => JSON.parse(line)), [
    { level: 50, err: { message: 'thrown' }, msg: /"onRefused" of fastify-if-match failed/, reqId: /./ },
    { level: 50, err: { message: 'rejected' } }
  ])
})

await t.test('onRefused: that of a route takes the place of the plugin\'s, the nearest registration counts, and each request is told once', async (t) => {
  const [outer, inner, own] = [keeper(), keeper(), keeper()]
  const storage = memoryAdapter()
  await seed(storage)
  const app = newApp(t)
  await app.register(ifMatch, { storage, onRefused: outer.onRefused })
  addOfferRoutes(app)
  app.put('/own/:id', { config: { ifMatch: { onRefused: own.onRefused } } }, async () => ({}))
  await app.register(async (scope) => {
    await scope.register(ifMatch, { storage, onRefused: inner.onRefused })
    addOfferRoutes(scope)
  }, { prefix: '/inner' })
  const messages = listenTo(t)
  for (const path of ['/offers/1', '/own/1', '/inner/offers/1']) t.equal(await statusOf(app, `PUT ${path}`), 400)
  await until('all three', () => outer.told.length + own.told.length + inner.told.length >= 3)
  t.strictSame([outer.told, own.told, inner.told], [
    ['PUT /offers/1 400 REQUIRED'], ['PUT /own/1 400 REQUIRED'], ['PUT /inner/offers/1 400 REQUIRED']
  ])
  t.equal(messages.length, 3, 'the listeners, beside it')
})

await t.test('onRefused: over HTTP/2, for a client that is gone, and behind callNotFound', async (t) => {
  const { told, onRefused } = keeper()
  const entered = barrier()
  const { app, storage } = await offersApp(t, { onRefused }, (app) => {
    app.put('/gone/:id', { config: { ifMatch: { ...OFFERS, onRefused } } }, async (request, reply) => {
      entered.open()
      await once(reply.raw, 'close')
      await request.entity().replace({})
    })
    app.put('/nowhere/:id', { config: { ifMatch: { ...OFFERS, onRefused } } }, async (request, reply) => {
      await request.entity().replace({}).catch(() => {})
      reply.callNotFound()
    })
  }, { http2: true } as never)
  await seed(storage)
  const session = connect(`http://127.0.0.1:${await listen(app)}`)
  t.teardown(() => { session.destroy() })
  const gone = session.request({ ':method': 'PUT', ':path': '/gone/1', 'if-match': '*' }).end()
  gone.on('error', () => {})
  await entered.opened
  gone.destroy()
  for (const path of ['/offers/1', '/nowhere/1']) {
    await once(session.request({ ':method': 'PUT', ':path': path, ...STALE }).end().resume(), 'close')
  }
  await until('both', () => told.length >= 2)
  t.strictSame(told, ['PUT /offers/1 412 PRECONDITION_FAILED', 'PUT /nowhere/1 412 PRECONDITION_FAILED'])
})

await t.test('onRefused: a write that an answer overtook is told of once, when it has ended', async (t) => {
  const { told, onRefused } = keeper()
  const [gate, closed] = [barrier(), barrier()]
  const memory = memoryAdapter()
  await seed(memory)
  const write = async (): Promise<never> => {
    await gate.opened
    throw new errorCodes.FST_IF_MATCH_OUTCOME_UNKNOWN()
  }
  const { app } = await offersApp(t, { storage: { ...memory, write } }, (app) => {
    const options = { config: { ifMatch: { ...OFFERS, onRefused } }, handlerTimeout: 20 }
    app.put('/slow/:id', options, async (request, reply) => {
      reply.raw.once('close', () => { closed.open() })
      return await request.entity().replace({})
    })
  })
  t.equal(await statusOf(app, 'PUT /slow/1', { 'if-match': '*' }), 503)
  await closed.opened
  t.strictSame(told, [])
  gate.open()
  await until('the refusal', () => told.length > 0)
  t.equal(await statusOf(app, 'GET /offers/1'), 200, 'later turns tell no more')
  t.strictSame(told, ['PUT /slow/1 503 OUTCOME_UNKNOWN'])
})
