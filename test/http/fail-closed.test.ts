import t from 'tap'
import type { FastifyReply, RouteHandlerMethod, RouteOptions } from 'fastify'
import ifMatch, { type WriteResult } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { ANY } from '../support/expectations.js'
import {
  addOfferRoutes, gatedMemory, newApp, offersApp, seed, send, statusOf, tagOf, valueOf
} from '../support/offers-app.js'
import { until } from '../support/until.js'

const HOOKS = ['onRequest', 'preHandler', 'preSerialization', 'onSend'] as const
const OFFERS = { ifMatch: { key: '/offers/:id' } }
const OFFERS_UNCHECKED = { ifMatch: { key: '/offers/:id', precheck: false } }

type Hook = (this: unknown, ...args: unknown[]) => unknown

/** An app with a plugin that does this to every route, registered before ours or after it. */
async function meddledApp (
  t: Parameters<typeof newApp>[0],
  meddle: (route: RouteOptions) => void,
  order: 'before' | 'after' = 'after'
) {
  const app = newApp(t)
  const storage = memoryAdapter()
  if (order === 'before') app.addHook('onRoute', meddle)
  await app.register(ifMatch, { storage })
  if (order === 'after') app.addHook('onRoute', meddle)
  return { app, storage }
}

const passes: Hook = (...args) => { (args.at(-1) as () => void)() }

function wrap (hook: Hook): Hook {
  return function (...args) { return hook.apply(this, args) }
}

const MEDDLERS: Record<string, (route: RouteOptions, name: typeof HOOKS[number]) => void> = {
  'set to a list of the same length' (route, name) {
    Object.assign(route, { [name]: [route[name] ?? []].flat().map(() => passes) })
  },
  'set to a list of another hook' (route, name) { Object.assign(route, { [name]: [passes] }) },
  'set to one hook' (route, name) { Object.assign(route, { [name]: passes }) },
  'set to undefined' (route, name) { Object.assign(route, { [name]: undefined }) },
  'set to an empty list' (route, name) { Object.assign(route, { [name]: [] }) },
  'emptied in place' (route, name) { if (Array.isArray(route[name])) route[name].length = 0 },
  'spliced' (route, name) { if (Array.isArray(route[name])) route[name].splice(0, 9, passes as never) },
  'popped' (route, name) { if (Array.isArray(route[name])) route[name].pop() },
  'replaced in place' (route, name) {
    const hooks = route[name] as Hook[] | undefined
    if (hooks !== undefined) hooks[0] = passes
  },
  'wrapped in place' (route, name) {
    for (let index = 0; index < (route[name] as Hook[] | undefined ?? []).length; index++) {
      ;(route[name] as Hook[])[index] = wrap((route[name] as Hook[])[index]!)
    }
  },
  'wrapped' (route, name) {
    Object.assign(route, { [name]: ([route[name] ?? []].flat() as unknown as Hook[]).map(wrap) })
  },
  'concatenated, then wrapped' (route, name) {
    const hooks = ([] as Hook[]).concat(route[name] as Hook[] | undefined ?? [])
    Object.assign(route, { [name]: [...hooks.map(wrap), passes] })
  },
  'concatenated with another' (route, name) {
    Object.assign(route, { [name]: ([] as Hook[]).concat(route[name] as Hook[] | undefined ?? [], passes) })
  }
}

for (const [how, meddle] of Object.entries(MEDDLERS)) {
  for (const order of ['before', 'after'] as const) {
    await t.test(`our hooks stay, and decide in the end, if the lists of a route are ${how} by a plugin ${order} ours`, async (t) => {
      const { app, storage } = await meddledApp(t, (route) => {
        for (const name of HOOKS) meddle(route, name)
      }, order)
      addOfferRoutes(app)
      app.post('/forgets/:id', { config: OFFERS }, async () => ({ forgot: true }))
      const etag = await seed(storage)
      t.equal(await statusOf(app, 'PUT /offers/1'), 400)
      t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '"stale"' }), 412)
      t.equal((await send(app, 'POST /forgets/1', { 'if-match': etag })).json().code, 'FST_IF_MATCH_NOT_WRITTEN')
      const read = await send(app, 'GET /offers/1')
      t.same([read.headers.etag, read.headers['cache-control']], [etag, 'no-cache'])
      for (const method of ['GET', 'HEAD']) {
        const copy = await send(app, `${method} /offers/1`, { 'if-none-match': etag })
        t.same([copy.statusCode, copy.body, copy.headers.etag], [304, '', etag])
      }
      const put = await send(app, 'PUT /offers/1', { 'if-match': etag })
      t.same([put.statusCode, put.headers.etag], [200, await tagOf(storage)])
    })
  }
}

await t.test('hooks that another plugin wraps work once each, and ours still run after hooks that are added later', async (t) => {
  let wrapped = 0
  const count = (hook: Hook): Hook => function (...args) {
    wrapped++
    return hook.apply(this, args)
  }
  const { app, storage } = await meddledApp(t, (route) => {
    for (const name of HOOKS) {
      const hooks = route[name] as Hook[] | undefined
      if (hooks !== undefined) Object.assign(route, { [name]: hooks.map(count) })
    }
    ;(route.preHandler as unknown[]).push(async () => {
      throw Object.assign(new Error('not yours'), { statusCode: 403 })
    })
  })
  const options = { config: { ifMatch: true }, onRequest: passes as never, onSend: passes as never }
  app.put('/offers/:id', options, async () => {})
  await seed(storage)
  const stale = await send(app, 'PUT /offers/1', { 'if-match': '"stale"' })
  t.same([stale.statusCode, stale.headers.etag], [403, undefined])
  t.equal(wrapped, 2, 'the hooks of the app')
})

await t.test('a hook of ours that was wrapped runs twice, and the second run decides: about headers, the status and the body', async (t) => {
  const between: Hook = (request, reply, payload, done) => {
    const { headers } = request as { headers: Record<string, string> }
    const answer = reply as FastifyReply
    if (headers['x-status'] !== undefined) answer.code(Number(headers['x-status']))
    if (headers['x-cache'] !== undefined) answer.header('cache-control', headers['x-cache'])
    ;(done as (error: null, payload?: unknown) => void)(null, headers['x-body'])
  }
  const { app, storage } = await meddledApp(t, (route) => {
    const ours = ([] as Hook[]).concat(route.onSend as unknown as Hook[])
    Object.assign(route, { onSend: [...ours.map(wrap), between] })
  })
  addOfferRoutes(app)
  const etag = await seed(storage)
  const isCurrent = { 'if-none-match': etag }
  const changed = await send(app, 'GET /offers/1', { 'x-cache': 'private' })
  t.same([changed.headers['cache-control'], changed.headers.etag], ['private', etag])
  const failed = await send(app, 'GET /offers/1', { 'x-status': '500' })
  t.same([failed.headers['cache-control'], failed.headers.etag], ['no-store', undefined])
  const body = await send(app, 'GET /offers/1', { ...isCurrent, 'x-body': 'put back' })
  t.same([body.statusCode, body.body, body.headers.etag], [304, '', etag])
  const status = await send(app, 'GET /offers/1', { ...isCurrent, 'x-status': '200', 'x-body': 'put back' })
  t.same([status.statusCode, status.body], [304, ''])
  const error = await send(app, 'GET /offers/1', { ...isCurrent, 'x-status': '500', 'x-body': 'no' })
  t.same([error.statusCode, error.body, error.headers.etag], [500, 'no', undefined])
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '"stale"', 'x-status': '200' }), 200, 'no success of ours')
  t.same(await valueOf(storage), { title: 'seeded' })
})

await t.test('a copy of a guarded route has the guard of its own address, and no hooks of the original', async (t) => {
  const { app, storage } = await meddledApp(t, () => {})
  app.addHook('onRoute', function (route) {
    for (const name of HOOKS) ([] as unknown[]).concat(route[name]) // now their lists have our hooks in sight
    if (!route.url.startsWith('/v2')) this.route({ ...route, url: `/v2${route.url}`, exposeHeadRoute: false })
  })
  app.put('/offers/:id', { config: { ifMatch: true } }, async (request) =>
    (await request.entity().replace(request.body)).value)
  t.equal(await statusOf(app, 'PUT /v2/offers/1', { 'if-none-match': '*' }), 200)
  t.same([await valueOf(storage), (await storage.read('/v2/offers/1'))?.value], [undefined, {}])
})

await t.test('a handler that is called ahead of our preHandler is not entered: 500 (FST_IF_MATCH_NOT_GUARDED)', async (t) => {
  let entered = false
  const { app } = await meddledApp(t, () => {})
  app.addHook('preHandler', async (request, reply) => {
    await (request.routeOptions.handler as (...args: unknown[]) => unknown)(request, reply)
  })
  app.put('/offers/:id', { config: { ifMatch: true } }, async () => { entered = true })
  const response = await send(app, 'PUT /offers/1', { 'if-match': '*' })
  t.same([response.statusCode, response.json().code, entered], [500, 'FST_IF_MATCH_NOT_GUARDED', false])
})

await t.test('a plugin that replaces the handler cannot make a success without a write', async (t) => {
  const { app } = await meddledApp(t, (route) => { route.handler = async () => ({ cached: true }) })
  app.put('/offers/:id', { config: { ifMatch: true } }, async () => {})
  t.equal(await statusOf(app, 'PUT /offers/1'), 400)
  const response = await send(app, 'PUT /offers/1', { 'if-match': '*' })
  t.equal(response.json().code, 'FST_IF_MATCH_NOT_WRITTEN')
})

await t.test('an onSend of another plugin that throws ahead of ours makes no success, whatever the error handler says', async (t) => {
  const { app } = await meddledApp(t, () => {})
  app.addHook('onSend', async () => { throw new Error('always') })
  app.setErrorHandler(async (_error, _request, reply) => await reply.code(200).send({ fine: true }))
  app.put('/offers/:id', { config: { ifMatch: true } }, async () => ({ forgot: true }))
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '*' }), 500)
})

await t.test('an onSend of another plugin that answers 200 each time, and a Response that is thrown, make no success', async (t) => {
  const { app, storage } = await meddledApp(t, () => {})
  app.addHook('onSend', async (request, reply) => { if (request.headers['x-always'] !== undefined) reply.code(200) })
  const handlers: Array<[RouteHandlerMethod, number]> = [
    [async () => ({ forgot: true }), 500],
    [async () => { throw new Response('thrown') }, 500],
    [async (request) => { await request.entity().update(() => { throw new Error('in the function') }) }, 500],
    [async (request) => { await request.entity().create({}) }, 412],
    [async (request) => { void request.entity().create({}) }, 412]
  ]
  for (const [index, [handler]] of handlers.entries()) {
    app.put(`/${index}/:id`, { config: OFFERS }, handler)
  }
  const etag = await seed(storage)
  for (const [index, [, status]] of handlers.entries()) {
    for (const headers of [{}, { 'x-always': '1' }]) {
      const response = await send(app, `PUT /${index}/1`, { 'if-match': '*', ...headers })
      t.equal(response.statusCode, status, String(handlers[index]![0]))
      t.not(response.body, 'thrown')
    }
  }
  t.equal(await tagOf(storage), etag)
})

await t.test('a handler that sends twice while its write is under way has one answer, that of the write', async (t) => {
  const { storage, hold, arrival, open } = gatedMemory('after')
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/twice/:id', { config: OFFERS }, async (request, reply) => {
      void request.entity().replace({ title: 'written' })
      reply.send({ first: true })
      return { second: true }
    })
  })
  const etag = await seed(storage)
  hold('write')
  const response = send(app, 'PUT /twice/1', { 'if-match': etag })
  await arrival
  open()
  const { statusCode, headers } = await response
  t.same([statusCode, headers.etag], [200, await tagOf(storage)])
})

await t.test('callNotFound() leaves the route, and not its guard: no success without a write, no 404 that caches keep', async (t) => {
  const { app, storage } = await meddledApp(t, () => {})
  app.setNotFoundHandler(async (request, reply) =>
    await reply.code(request.headers['x-found'] === undefined ? 404 : 200).send({ from: 'the app' }))
  app.route({
    method: ['GET', 'PUT'],
    url: '/offers/:id',
    config: { ifMatch: true },
    handler: (_request, reply) => { reply.callNotFound() }
  })
  await seed(storage)
  const missing = await send(app, 'GET /offers/1')
  t.same([missing.statusCode, missing.headers['cache-control']], [404, 'no-store'])
  const found = await send(app, 'PUT /offers/1', { 'if-match': '*', 'x-found': '1' })
  t.same([found.statusCode, found.json().code], [500, 'FST_IF_MATCH_NOT_WRITTEN'])
  t.match(found.json().message, 'PUT a route that called reply.callNotFound()')
  t.equal(await statusOf(app, 'GET /nowhere'), 404)
})

await t.test('hook lists that another plugin deletes or defines anew stop the boot, also those that the route has itself', async (t) => {
  for (const name of HOOKS) {
    const deletes = (route: RouteOptions): void => { delete route[name] }
    const defines = (route: RouteOptions): void => { Object.defineProperty(route, name, { value: [] }) }
    for (const meddle of [deletes, defines]) {
      for (const own of [{}, { [name]: passes }, { [name]: [passes] }]) {
        const { app } = await meddledApp(t, meddle)
        const options = { method: ['GET', 'PUT'], url: '/offers/:id', config: { ifMatch: true }, ...own }
        t.throws(() => { app.route({ ...options, handler: async () => {} }) }, TypeError, name)
      }
    }
  }
})

await t.test("a handle of the route's entity that a hook made before ours is under the precondition, too", async (t) => {
  const { app, storage } = await offersApp(t, { precheck: false }, (app) => {
    app.decorateRequest('mine')
    app.addHook('onRequest', async (request) => { request.setDecorator('mine', request.entity('/offers/1')) })
    app.put('/early/:id', { config: OFFERS_UNCHECKED }, async (request) => {
      const mine = request.getDecorator<ReturnType<typeof request.entity>>('mine')
      return (await mine.replace(() => ({ blind: true }))).value
    })
    app.get('/global', async (request) => ({ found: (await request.entity('/offers/1').read()).value }))
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'PUT /early/1', { 'if-match': '"stale"' }), 412)
  t.equal(await statusOf(app, 'PUT /early/1'), 400)
  t.same(await valueOf(storage), { title: 'seeded' })
  t.equal(await statusOf(app, 'PUT /early/1', { 'if-match': etag }), 200)
  t.equal(await statusOf(app, 'GET /global'), 200)
})

await t.test('If-None-Match: * names no strategy where nothing may be created, and nothing is written', async (t) => {
  for (const [method, options] of [['DELETE', {}], ['PATCH', {}], ['PUT', { create: false }]] as const) {
    const { app, storage } = await offersApp(t, { ...options, precheck: false })
    const etag = await seed(storage)
    t.equal(await statusOf(app, `${method} /offers/1`, { 'if-none-match': '*' }), 400, method)
    t.equal(await tagOf(storage), etag)
  }
})

await t.test('create of the own entity does not forget If-Match where the entity is absent', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/new/:id', { config: OFFERS_UNCHECKED }, async (request) =>
      (await request.entity().create(request.body)).value)
  })
  t.equal(await statusOf(app, 'PUT /new/1', { 'if-match': '"x"' }), 412)
  t.equal(await valueOf(storage), undefined)
})

await t.test('simultaneous writes to the own entity follow one another, and each compares with the one before', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/both/:id', { config: OFFERS }, async (request) => {
      const entity = request.entity<{ n: number }>()
      const [, second] = await Promise.all([
        entity.replace({ n: 1 }),
        entity.update(({ n }) => ({ n: n + 1 })),
        entity.unchanged()
      ])
      return second.value
    })
  })
  const etag = await seed(storage)
  const response = await send(app, 'PUT /both/1', { 'if-match': etag })
  t.same([response.statusCode, response.json()], [200, { n: 2 }])
  t.equal(response.headers.etag, await tagOf(storage))
})

await t.test('the last write to the own entity is the answer: also one that was refused, not awaited, and long over', async (t) => {
  let isRefused = false
  const storage = memoryAdapter({
    around (step, operation) {
      const result = step()
      isRefused ||= operation === 'write' && !(result as WriteResult).applied
      return result
    }
  })
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/late/:id', { config: OFFERS }, async (request) => {
      await request.entity().unchanged()
      await storage.write('/offers/1', { title: 'other' }, ANY)
      void request.entity().replace(request.body)
      await until('the write was refused', () => isRefused)
      await new Promise((resolve) => { setImmediate(resolve) }) // its rejection has got through
      return { swallowed: true }
    })
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'PUT /late/1', { 'if-match': etag }), 412)
  t.same(await valueOf(storage), { title: 'other' })
})

await t.test('a write to a further entity that nobody awaits on an unguarded route fails as any promise does', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/plain', async (request) => {
      void request.entity('/log/1').create({})
      return { done: true }
    })
  })
  await storage.write('/log/1', {}, ANY)
  const unhandled = new Promise((resolve) => { process.once('unhandledRejection', resolve) })
  t.equal(await statusOf(app, 'POST /plain'), 200)
  t.match(await unhandled, { code: 'FST_IF_MATCH_PRECONDITION_FAILED' })
})
