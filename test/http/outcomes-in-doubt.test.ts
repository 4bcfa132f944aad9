import { once } from 'node:events'
import net from 'node:net'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { errorCodes, type IfMatchError, type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { aroundAdapter } from '../support/around-adapter.js'
import { barrier } from '../support/barrier.js'
import { listen, offersApp, seed, send } from '../support/offers-app.js'
import { ordersApp, save } from '../support/orders-app.js'
import { listenTo, taken } from '../support/outcomes.js'
import { until } from '../support/until.js'

// Requests in which several things happened, of which one is the outcome.

const OFFERS = { ifMatch: { key: '/offers/:id' } }
const ANY = { 'if-match': '*' }

await t.test('outcome "applied": also where the handler says unchanged() behind its write, of what another one wrote since', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/both/:id', { config: OFFERS }, async (request) => {
      await request.entity().replace({ title: 'mine' })
      await storage.write('/offers/1', { title: 'theirs' }, { kind: 'any' })
      return (await request.entity().unchanged()).value
    })
  })
  await seed(storage)
  const messages = listenTo(t)
  t.same((await send(app, 'PUT /both/1', ANY)).json(), { title: 'theirs' })
  t.match(messages, [{ outcome: 'applied', attempts: 1 }])
})

await t.test('outcomes "unchanged" and "repeated" are those of a success: an error behind them is the outcome', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/same/:id', { config: OFFERS }, async (request) => {
      await request.entity().unchanged()
      throw new Error('then')
    })
    app.put('/again/:id', {
      config: { ifMatch: { ...OFFERS.ifMatch, resend: { caller: () => 'ann' } } }
    }, async (request, reply) => {
      await request.entity().replace(request.body)
      return request.entity().isRepeated ? await reply.code(409).send({}) : {}
    })
  })
  const etag = await seed(storage)
  const headers = { 'if-match': etag, 'idempotency-key': '"a"' }
  t.equal((await send(app, 'PUT /again/1', headers, { title: 'new' })).statusCode, 200)
  const messages = listenTo(t)
  t.equal((await send(app, 'PUT /again/1', headers, { title: 'new' })).statusCode, 409)
  t.equal((await send(app, 'PUT /same/1', ANY)).statusCode, 500)
  t.strictSame(await taken(messages, 2), ['declined tag', 'failed wildcard'])
})

await t.test('a write inside of a transaction is applied if that is committed, and was not if it is rolled back', async (t) => {
  const { app, tag } = await ordersApp(t, (app) => {
    app.put('/orders/:id', { config: { ifMatch: true } }, async (request, reply) => {
      await request.entity('/orders/2').transaction(async (tx: never) => {
        await request.entity().replace({ customer: 'Bea', lines: [] })
        if (request.headers['x-fails'] !== undefined) throw new Error('rolled back')
        save(tx, '2', { customer: 'Bea', lines: [] })
      }).catch(async () => await reply.code(409).send({}))
      if (request.headers['x-then-fails'] !== undefined) throw new Error('it stays')
      return {}
    })
  })
  const etag = await tag()
  const messages = listenTo(t)
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': etag, 'x-fails': 'yes' })).statusCode, 409)
  t.match(messages, [{ outcome: 'declined', code: undefined, attempts: 1 }])
  t.equal(await tag(), etag)
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': etag, 'x-then-fails': 'yes' })).statusCode, 500)
  t.match(messages.at(-1), { outcome: 'applied' })
  const next = await tag()
  t.not(next, etag)
  t.equal((await send(app, 'PUT /orders/1', { 'if-match': next })).statusCode, 200)
  t.match(messages.at(-1), { outcome: 'applied' })
})

/** A storage whose operations take any context of the app. */
function withContext (): StorageAdapter {
  const memory = memoryAdapter()
  return { ...memory, write: async (key, value, expectation) => await memory.write(key, value, expectation) }
}

await t.test('a write with a context of the app: the answer says whether its transaction was committed', async (t) => {
  const storage = withContext()
  const entered = barrier()
  const { app } = await offersApp(t, { storage }, (app) => {
    const write = async (request: FastifyRequest): Promise<void> => {
      await request.entity(undefined, { client: 'of the app' }).replace({})
    }
    app.put('/commits/:id', { config: OFFERS }, async (request) => {
      await write(request)
      return {}
    })
    app.put('/throws/:id', { config: OFFERS }, async (request) => {
      await write(request)
      throw new Error('rolled back')
    })
    app.put('/declines/:id', { config: OFFERS }, async (request, reply) => {
      await write(request)
      return await reply.code(409).send({})
    })
    app.put('/both/:id', { config: OFFERS }, async (request) => {
      await request.entity().replace({})
      await write(request)
      throw new Error('the first one stays')
    })
    app.put('/late/:id', { config: OFFERS, handlerTimeout: 20 }, async (request) => {
      await write(request)
      await once(request.signal, 'abort')
    })
    app.put('/gone/:id', { config: OFFERS }, async (request, reply) => {
      await write(request)
      entered.open()
      await once(reply.raw, 'close')
    })
  })
  await seed(storage)
  const messages = listenTo(t)
  for (const path of ['commits', 'throws', 'declines', 'both', 'late']) await send(app, `PUT /${path}/1`, ANY)
  t.strictSame(await taken(messages, 5), [
    'applied wildcard', 'failed wildcard', 'declined wildcard', 'applied wildcard', 'unknown wildcard'
  ])
  const socket = net.connect(await listen(app), '127.0.0.1')
  socket.write('PUT /gone/1 HTTP/1.1\r\nHost: a\r\nIf-Match: *\r\nContent-Length: 0\r\n\r\n')
  await entered.opened
  socket.destroy()
  t.strictSame(await taken(messages), ['unknown wildcard'])
})

/** An app whose storage loses its answer to the first write, which it has applied. */
async function losing (t: Test, prepare: (app: FastifyInstance) => unknown) {
  const memory = memoryAdapter()
  const etag = await seed(memory)
  let isLost = false
  const storage = aroundAdapter(memory, async (step, operation) => {
    const result = await step()
    if (operation !== 'write' || isLost) return result
    isLost = true
    throw new errorCodes.FST_IF_MATCH_OUTCOME_UNKNOWN()
  })
  return { etag, app: (await offersApp(t, { storage }, prepare)).app }
}

await t.test('outcome "unknown": a handler that tries again is refused by its own write, and that is no mismatch', async (t) => {
  const told: string[] = []
  const onRefused = (_request: unknown, _reply: unknown, { code }: IfMatchError): void => { told.push(code) }
  const config = { ifMatch: { ...OFFERS.ifMatch, onRefused } }
  const { app, etag } = await losing(t, (app) => {
    app.put('/retries/:id', { config }, async (request) =>
      await request.entity().replace({}).catch(async () => await request.entity().replace({})))
  })
  const messages = listenTo(t)
  t.equal((await send(app, 'PUT /retries/1', { 'if-match': etag })).statusCode, 412)
  t.match(messages, [{ outcome: 'unknown', code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', status: 412, attempts: 2 }])
  await until('onRefused', () => told.length > 0)
  t.strictSame(told, ['FST_IF_MATCH_OUTCOME_UNKNOWN'])
})

await t.test('outcome "unknown": a lost write of a GET, and one that unchanged() follows, whatever is answered', async (t) => {
  for (const [method, path] of [['GET', 'read'], ['PUT', 'same']] as const) {
    const { app } = await losing(t, (app) => {
      app.get('/read/:id', { config: OFFERS }, async (request) => {
        await request.entity().replace({}).catch(() => {})
        return {}
      })
      app.put('/same/:id', { config: OFFERS }, async (request) => {
        await request.entity().replace({}).catch(() => {})
        return (await request.entity().unchanged()).value
      })
    })
    const messages = listenTo(t)
    t.equal((await send(app, `${method} /${path}/1`, ANY)).statusCode, 200)
    t.strictSame(await taken(messages), ['unknown wildcard'])
  }
})

await t.test('storageTime has that of an operation that is under way: a storage that hangs is seen', async (t) => {
  const gate = barrier()
  const storage = aroundAdapter(memoryAdapter(), async (step) => {
    await gate.opened
    return await step()
  })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/slow/:id', { config: OFFERS, handlerTimeout: 20 }, async (request) => await request.entity().read())
  })
  const messages = listenTo(t)
  t.equal((await send(app, 'GET /slow/1')).statusCode, 503)
  await until('the outcome', () => messages.length > 0)
  t.match(messages, [{ outcome: 'late' }])
  t.ok(messages[0]!.storageTime > 0)
  gate.open()
})

await t.test('an answer that Fastify refuses to send is 500 in the message, too: a payload, a header, a stream that breaks', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/payload/:id', { config: OFFERS }, async (_request, reply) => reply.type('text/plain').send({}))
    app.get('/header/:id', { config: OFFERS }, async (_request, reply) => reply.header('x-text', 'a\nb').send({}))
    app.put('/header/:id', { config: OFFERS }, async (request, reply) => {
      await request.entity().replace({})
      return reply.header('x-text', 'a\nb').send({})
    })
    app.get('/breaks/:id', { config: OFFERS }, async (_request, reply) =>
      reply.send(new Readable({ read () { this.destroy(new Error('broken')) } })))
    app.get('/streams/:id', { config: OFFERS }, async (_request, reply) => reply.send(Readable.from(['text'])))
  })
  await seed(storage)
  const messages = listenTo(t)
  for (const [index, request] of [
    'GET /payload/1', 'GET /header/1', 'GET /breaks/1', 'PUT /header/1', 'GET /streams/1'
  ].entries()) {
    const { statusCode } = await send(app, request, ANY)
    await until('the outcome', () => messages.length > index)
    t.equal(messages[index]!.status, statusCode, request)
  }
  t.same(messages.map(({ status }) => status), [500, 500, 500, 500, 200])
  t.strictSame(await taken(messages, 5), [
    'failed wildcard', 'failed wildcard', 'failed wildcard', 'applied wildcard', 'read wildcard'
  ])
})

await t.test('a hook that answers through reply.raw has declined, with the status of that answer', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    app.put('/raw/:id', {
      config: OFFERS, preHandler: async (_request, reply) => { reply.hijack().raw.writeHead(401).end() }
    }, async () => ({}))
  })
  const messages = listenTo(t)
  t.equal((await send(app, 'PUT /raw/1', ANY)).statusCode, 401)
  await until('the outcome', () => messages.length > 0)
  t.match(messages, [{ outcome: 'declined', status: 401 }])
})

await t.test('outcome "invalid": a hook of the app asks for an entity whose key cannot be stored', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    app.put('/key/:id', {
      config: { ifMatch: { key: () => '\0' } }, preHandler: async (request) => { request.entity() }
    }, async () => ({}))
  })
  const messages = listenTo(t)
  t.equal((await send(app, 'PUT /key/1', ANY)).statusCode, 400)
  t.match(messages, [{ code: 'FST_IF_MATCH_INVALID_KEY' }])
  t.strictSame(await taken(messages), ['invalid wildcard'])
})

await t.test('outcome "mismatch": a handler that was refused, and does not answer in time', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    const ifMatch = { ...OFFERS.ifMatch, precheck: false }
    app.put('/slow/:id', { config: { ifMatch }, handlerTimeout: 20 }, async (request) => {
      await request.entity().replace({}).catch(async () => await once(request.signal, 'abort'))
    })
  })
  await seed(storage)
  const messages = listenTo(t)
  t.equal((await send(app, 'PUT /slow/1', { 'if-match': '"x"' })).statusCode, 503)
  t.strictSame(await taken(messages), ['mismatch tag'])
})
