import { Readable } from 'node:stream'
import t from 'tap'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, offersApp, seed, send, statusOf, tagOf } from '../support/offers-app.js'

const STALE = { 'if-match': '"stale"' }

class Forbidden extends Error { statusCode = 403 }

const refuse = async (): Promise<void> => { throw new Forbidden('not yours') }

for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
  await t.test(`a refusal of the app in ${hook} comes before 400 and 412 (RFC 9110 13.2.1)`, async (t) => {
    const storage = memoryAdapter()
    const { app } = await offersApp(t, { storage }, (app) => { app.addHook(hook as 'onRequest', refuse) })
    await seed(storage)
    storage.read = storage.write = async () => { throw new Error('the storage was asked') }
    for (const headers of [{}, STALE, { 'if-match': 'malformed' }]) {
      const response = await send(app, 'PUT /offers/1', headers)
      t.equal(response.statusCode, 403)
      t.equal(response.headers.etag, undefined, 'no tag for those who may not read')
      t.equal(response.headers['retry-after'], undefined)
    }
  })
}

await t.test('the preHandler that a plugin adds to each route comes before ours, though it is registered later', async (t) => {
  const storage = memoryAdapter()
  const withPlugin = async (add: (app: FastifyInstance) => void): Promise<FastifyInstance> => {
    const app = newApp(t)
    await app.register(ifMatch, { storage })
    add(app)
    addOfferRoutes(app)
    return app
  }
  const pushed = await withPlugin((app) => {
    app.addHook('onRoute', (route) => { (route.preHandler as unknown[]).push(refuse) })
  })
  const replaced = await withPlugin((app) => {
    app.addHook('onRoute', (route) => { route.preHandler = [refuse] })
  })
  for (const app of [pushed, replaced]) {
    t.equal(await statusOf(app, 'PUT /offers/1', STALE), 403)
    t.equal(await statusOf(app, 'PUT /offers/1'), 403)
  }
})

await t.test('a plugin that is registered later and replaces the hooks of a route cannot remove ours', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.addHook('onRoute', (route) => {
    route.onRequest = []
    Object.assign(route, { preHandler: undefined, preSerialization: [], onSend: undefined })
  })
  addOfferRoutes(app)
  t.equal(await statusOf(app, 'PUT /offers/1'), 400)
})

await t.test('413 and 415 come before 400 and 412 (RFC 9110 13.2.1)', async (t) => {
  const { app, storage } = await offersApp(t)
  await seed(storage)
  for (const headers of [{}, STALE]) {
    const json = { ...headers, 'content-type': 'application/json' }
    t.equal(await statusOf(app, 'PUT /offers/1', json, JSON.stringify('x'.repeat(2 ** 20))), 413)
    t.equal(await statusOf(app, 'PUT /offers/1', { ...headers, 'content-type': 'text/csv' }, 'a,b'), 415)
  }
})

await t.test('404 of the router comes before 400', async (t) => {
  const { app } = await offersApp(t)
  t.equal(await statusOf(app, 'PUT /nowhere', STALE), 404)
})

await t.test('an invalid body under a stale tag is 400: Fastify validates before the preHandler (engine-facts#fastify-hook-order)', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/strict/:id', {
      config: { ifMatch: { key: '/offers/:id' } },
      schema: { body: { type: 'object', required: ['title'] } }
    }, async (request) => (await request.entity().replace(request.body)).value)
  })
  await seed(storage)
  t.equal(await statusOf(app, 'PUT /strict/1', STALE, {}), 400)
  t.equal(await statusOf(app, 'PUT /strict/1', STALE, { title: 'fits' }), 412)
})

await t.test('hooks of the app before and after the registration both run, and ours runs after them', async (t) => {
  const ran: string[] = []
  const app = newApp(t)
  app.addHook('preHandler', async () => { ran.push('before') })
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.addHook('preHandler', async () => { ran.push('after') })
  app.put('/offers/:id', {
    config: { ifMatch: true },
    preHandler: async () => { ran.push('route') }
  }, async () => { ran.push('handler') })
  t.equal(await statusOf(app, 'PUT /offers/1'), 400)
  t.same(ran, ['before', 'after', 'route'])
})

await t.test('a success that an earlier hook sends stays as it is: the handler was not entered', async (t) => {
  const { app } = await offersApp(t, {}, (app) => {
    app.addHook('preHandler', async (request, reply) => {
      if (request.headers['x-replay'] === undefined) return
      return await reply.code(200).header('etag', '"theirs"').send({ replayed: true })
    })
  })
  const response = await send(app, 'PUT /offers/1', { 'x-replay': '1' })
  t.equal(response.statusCode, 200)
  t.same(response.json(), { replayed: true })
  t.equal(response.headers.etag, '"theirs"')
})

/** Refuses everybody but the owner of the offer, who is sent in `x-user`. */
async function ownersOnly (request: FastifyRequest): Promise<void> {
  const { value } = await request.entity<{ owner: string }>().read()
  if (value.owner !== request.headers['x-user']) throw new Forbidden('not yours')
}

for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
  await t.test(`a check in ${hook} that reads who owns the entity comes before 412 and 304 (RFC 9110 13.2.1)`, async (t) => {
    for (const precheck of [true, false]) {
      const { app, storage } = await offersApp(t, { precheck, absent: 412 }, (app) => {
        app.addHook(hook as 'onRequest', ownersOnly)
      })
      const etag = await seed(storage, '1', { title: 'seeded', owner: 'me' })
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'POST']) {
        for (const headers of [STALE, { 'if-match': etag }, { 'if-none-match': etag }, { 'if-none-match': '*' }]) {
          const response = await send(app, `${method} /offers/1`, headers)
          t.same([response.statusCode, response.headers.etag], [403, undefined], `${method} ${JSON.stringify(headers)}`)
        }
      }
      const mine = { 'x-user': 'me' }
      for (const method of ['GET', 'HEAD', 'PUT']) {
        const response = await send(app, `${method} /offers/1`, { ...mine, ...STALE })
        t.same([response.statusCode, response.headers.etag], [412, etag], `${method} by the owner`)
      }
      t.equal(await statusOf(app, 'GET /offers/1', { ...mine, 'if-none-match': etag }), 304)
      for (const method of ['GET', 'PUT']) {
        t.equal(await statusOf(app, `${method} /offers/absent`, STALE), 404, 'what the hook is told of an absence')
      }
      t.equal(await statusOf(app, 'GET /offers/1', { ...mine, 'if-match': etag }), 200)
    }
  })
}

await t.test('with precheck false, a check in the handler comes before 404, 412, 304 and the tag, in every method', async (t) => {
  const guard = { ifMatch: { key: '/offers/:id', precheck: false } }
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.route({
      method: ['GET', 'PUT', 'PATCH', 'DELETE', 'POST'],
      url: '/checked/:id',
      config: guard,
      handler: async (request) => {
        const entity = request.entity<object>()
        const isRead = request.method === 'GET' || request.method === 'HEAD'
        if (request.headers['x-read'] !== undefined) await entity[isRead ? 'unchanged' : 'read']().catch(() => {})
        if (request.headers['x-user'] !== 'me') throw new Forbidden('not yours')
        return isRead ? await entity.read() : await entity.update((offer) => offer)
      }
    })
  })
  const etag = await seed(storage)
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'POST']) {
    for (const headers of [STALE, { 'if-match': etag }, { 'if-match': '*' }, { ...STALE, 'if-none-match': etag }]) {
      for (const id of ['1', 'absent']) {
        for (const read of [{}, { 'x-read': '1' }]) {
          const response = await send(app, `${method} /checked/${id}`, { ...headers, ...read })
          const title = `${method} ${id} ${JSON.stringify(headers)}`
          t.same([response.statusCode, response.headers.etag], [403, undefined], title)
        }
      }
    }
    const stale = await send(app, `${method} /checked/1`, { ...STALE, 'x-user': 'me' })
    t.same([stale.statusCode, stale.headers.etag], [412, etag], `${method} by the owner`)
    t.equal(await statusOf(app, `${method} /checked/absent`, { 'if-match': '*', 'x-user': 'me' }), 404)
  }
})

await t.test('with precheck false, If-Match of a GET counts where its answer is a success, in any form (RFC 9110 13.2.1)', async (t) => {
  const bodies: Record<string, () => unknown> = {
    object: () => ({ a: 1 }),
    string: () => 'text',
    buffer: () => Buffer.from('bytes'),
    stream: () => Readable.from(['a', 'b']),
    Response: () => new Response('body')
  }
  const streams: Readable[] = []
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.addHttpMethod('SEARCH')
    app.route({
      method: ['GET', 'SEARCH'],
      url: '/read/:id/:form/:status',
      config: { ifMatch: { key: '/offers/:id', precheck: false, absent: 412 } },
      handler: async (request, reply) => {
        const { form, status } = request.params as { form: string, status: string }
        await request.entity().read().catch((error: Error) => {
          if (request.headers['x-go-on'] === undefined) throw error
        })
        const body = bodies[form]!()
        if (body instanceof Readable) streams.push(body)
        return await reply.code(Number(status)).send(body)
      }
    })
  })
  const etag = await seed(storage)
  for (const form of Object.keys(bodies)) {
    for (const method of ['GET', 'HEAD', 'SEARCH']) {
      const stale = await send(app, `${method} /read/1/${form}/200`, STALE)
      t.same([stale.statusCode, stale.headers.etag], [412, etag], `${method} ${form}`)
      t.equal(await statusOf(app, `${method} /read/1/${form}/200`, { 'if-match': etag }), 200, `${method} ${form}`)
    }
  }
  for (const stream of streams.slice(0, 3)) t.equal(stream.destroyed, true, 'a stream that is not sent is released')
  for (const status of [203, 206]) t.equal(await statusOf(app, `GET /read/1/object/${status}`, STALE), 412, `${status}`)
  for (const status of [302, 404, 409, 500]) {
    t.equal(await statusOf(app, `GET /read/1/object/${status}`, STALE), status, 'its answer without the precondition')
  }
  t.equal(await statusOf(app, 'SEARCH /read/1/object/200', { 'if-none-match': etag }), 412)
  t.equal(await statusOf(app, 'GET /read/2/object/200', STALE), 412, 'absent: 412')
  t.equal(await statusOf(app, 'GET /read/2/object/200'), 404)
  const goOn = { 'x-go-on': '1' }
  t.equal(await statusOf(app, 'GET /read/2/object/200', { ...STALE, ...goOn }), 412, 'a success in place of nothing')
  t.equal(await statusOf(app, 'GET /read/2/object/200', goOn), 200)
})

await t.test('a write in the handler of a GET is judged by its precondition, and the answer is not judged again', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    for (const precheck of [true, false]) {
      app.get(`/visits/${precheck}/:id`, { config: { ifMatch: { key: '/offers/:id', precheck } } }, async (request) => {
        const entity = request.entity<Record<string, number>>()
        await entity.read()
        const saved = await entity.update((offer) => ({ ...offer, visits: (offer['visits'] ?? 0) + 1 }))
        await entity.unchanged()
        return saved.value
      })
    }
  })
  await seed(storage)
  for (const precheck of [true, false]) {
    const etag = await tagOf(storage)
    t.equal(await statusOf(app, `GET /visits/${precheck}/1`, STALE), 412)
    t.equal(await tagOf(storage), etag)
    t.equal(await statusOf(app, `GET /visits/${precheck}/1`, { 'if-match': etag }), 200)
    t.not(await tagOf(storage), etag)
  }
})

await t.test('a PUT with Content-Range is 400, after the refusals of the app and before the handler (RFC 9110 14.5)', async (t) => {
  let mayEnter = true
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.addHook('preHandler', async (request) => {
      if (!mayEnter) throw new Forbidden('not yours')
      if (request.headers['x-remove'] !== undefined) delete request.headers['content-range']
      if (request.headers['x-early'] !== undefined) await request.entity().replace({ early: true })
    })
  })
  const etag = await seed(storage)
  const range = { 'content-range': 'bytes 0-4/100' }
  for (const headers of [{ 'if-match': etag }, { 'if-match': '*' }, {}, STALE, { 'if-match': '*', 'x-early': '1' }]) {
    const response = await send(app, 'PUT /offers/1', { ...headers, ...range })
    t.match(response.json(), { statusCode: 400, code: 'FST_IF_MATCH_CONTENT_RANGE' })
    t.equal(response.headers['cache-control'], 'no-store')
  }
  t.equal(await tagOf(storage), etag, 'nothing was changed')
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '*', 'content-range': '' }), 400)
  mayEnter = false
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag, ...range }), 403)
  mayEnter = true
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag, ...range, 'x-remove': '1' }), 200)
  for (const method of ['GET', 'HEAD', 'PATCH', 'POST']) {
    t.equal(await statusOf(app, `${method} /offers/1`, { 'if-match': '*', ...range }), 200, `${method} ignores it`)
  }
  t.equal(await statusOf(app, 'DELETE /offers/1', { 'if-match': '*', ...range }), 204)
})
