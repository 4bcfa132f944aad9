import t from 'tap'
import type { RouteOptions } from 'fastify'
import ifMatch, { type WriteResult } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { ANY } from '../support/expectations.js'
import { addOfferRoutes, newApp, offersApp, seed, send, statusOf, tagOf, valueOf } from '../support/offers-app.js'
import { until } from '../support/until.js'

const HOOKS = ['onRequest', 'preHandler', 'preSerialization', 'onSend'] as const
const OFFERS = { ifMatch: { key: '/offers/:id' } }
const OFFERS_UNCHECKED = { ifMatch: { key: '/offers/:id', precheck: false } }

type Hook = (this: unknown, ...args: unknown[]) => unknown

/** An app with a plugin that is registered after ours and does this to every route. */
async function meddledApp (t: Parameters<typeof newApp>[0], meddle: (route: RouteOptions) => void) {
  const app = newApp(t)
  const storage = memoryAdapter()
  await app.register(ifMatch, { storage })
  app.addHook('onRoute', meddle)
  return { app, storage }
}

await t.test('hooks that another plugin wraps work once each, and still run after hooks that are added later', async (t) => {
  let wrapped = 0
  const wrap = (hook: Hook): Hook => function (...args) {
    wrapped++
    return hook.apply(this, args)
  }
  const { app, storage } = await meddledApp(t, (route) => {
    for (const name of HOOKS) {
      const hooks = route[name] as Hook[] | undefined
      if (hooks !== undefined) Object.assign(route, { [name]: hooks.map(wrap) })
    }
    ;(route.preHandler as unknown[]).push(async () => {
      throw Object.assign(new Error('not yours'), { statusCode: 403 })
    })
  })
  addOfferRoutes(app)
  await seed(storage)
  const stale = await send(app, 'PUT /offers/1', { 'if-match': '"stale"' })
  t.same([stale.statusCode, stale.headers.etag], [403, undefined])
  t.equal(wrapped, 2, 'onRequest and onSend: the preHandler was not reached')
})

await t.test('hooks that another plugin replaces in place do not make an endless list', async (t) => {
  const { app } = await meddledApp(t, (route) => {
    const hooks = route.preHandler as Hook[]
    for (let index = 0; index < hooks.length; index++) {
      const hook = hooks[index]!
      hooks[index] = function (...args) { return hook.apply(this, args) }
    }
  })
  addOfferRoutes(app)
  t.equal(await statusOf(app, 'PUT /offers/1'), 400)
})

await t.test('if another plugin takes our hooks away, the handler is not entered: 500 (FST_IF_MATCH_NOT_GUARDED)', async (t) => {
  let entered = false
  const { app } = await meddledApp(t, (route) => { (route.preHandler as unknown[]).length = 0 })
  app.put('/offers/:id', { config: { ifMatch: true } }, async () => { entered = true })
  const response = await send(app, 'PUT /offers/1')
  t.same([response.statusCode, response.json().code, entered], [500, 'FST_IF_MATCH_NOT_GUARDED', false])
})

await t.test('hook lists that another plugin deletes or defines anew stop the boot', async (t) => {
  const deletes = (route: RouteOptions): void => { delete route.preHandler }
  const defines = (route: RouteOptions): void => { Object.defineProperty(route, 'preHandler', { value: [] }) }
  for (const meddle of [deletes, defines]) {
    const { app } = await meddledApp(t, meddle)
    t.throws(() => { app.put('/offers/:id', { config: { ifMatch: true } }, async () => {}) }, TypeError)
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
