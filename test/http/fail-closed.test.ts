import t from 'tap'
import type { RouteOptions } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, offersApp, seed } from '../support/offers-app.js'

const KEY = '/offers/1'
const HOOKS = ['onRequest', 'preHandler', 'preSerialization', 'onSend'] as const

/** An app with a plugin that is registered after ours and does this to every route. */
async function meddledApp (t: Parameters<typeof newApp>[0], meddle: (route: RouteOptions) => void) {
  const app = newApp(t)
  const storage = memoryAdapter()
  await app.register(ifMatch, { storage })
  app.addHook('onRoute', meddle)
  return { app, storage }
}

await t.test('hooks that another plugin wraps work once each, and still after what is added later', async (t) => {
  let wrapped = 0
  const { app, storage } = await meddledApp(t, (route) => {
    for (const name of HOOKS) {
      const hooks = route[name] as Array<(...args: unknown[]) => unknown> | undefined
      if (hooks === undefined) continue
      Object.assign(route, {
        [name]: hooks.map(
          (hook) =>
            function (this: unknown, ...args: unknown[]) {
              wrapped++
              return hook.apply(this, args)
            }
        )
      })
    }
    ;(route.preHandler as unknown[]).push(async () => {
      throw Object.assign(new Error('not yours'), { statusCode: 403 })
    })
  })
  addOfferRoutes(app)
  await seed(storage)
  const stale = await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': '"stale"' }, payload: {} })
  t.same([stale.statusCode, stale.headers.etag], [403, undefined])
  t.equal(wrapped, 2, 'onRequest and onSend: the preHandler was not reached')
})

await t.test('hooks that another plugin replaces in place are no endless list', async (t) => {
  const { app } = await meddledApp(t, (route) => {
    const hooks = route.preHandler as Array<(...args: unknown[]) => unknown>
    for (let at = 0; at < hooks.length; at++) {
      const hook = hooks[at]!
      hooks[at] = function (this: unknown, ...args: unknown[]) { return hook.apply(this, args) }
    }
  })
  addOfferRoutes(app)
  t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })).statusCode, 400)
})

await t.test('hooks that another plugin takes away are missed: 500, and the handler is not entered (FST_IF_MATCH_NOT_GUARDED)', async (t) => {
  let entered = false
  const { app } = await meddledApp(t, (route) => { (route.preHandler as unknown[]).length = 0 })
  app.put('/offers/:id', { config: { ifMatch: true } }, async () => { entered = true })
  const response = await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })
  t.same([response.statusCode, response.json().code, entered], [500, 'FST_IF_MATCH_NOT_GUARDED', false])
})

await t.test('hook lists that another plugin deletes or defines anew stop the boot', async (t) => {
  for (const meddle of [
    (route: RouteOptions) => {
      delete route.preHandler
    },
    (route: RouteOptions) => {
      Object.defineProperty(route, 'preHandler', { value: [] })
    }
  ]) {
    const { app } = await meddledApp(t, meddle)
    t.throws(() => {
      app.put('/offers/:id', { config: { ifMatch: true } }, async () => {})
    }, TypeError)
  }
})

await t.test("a handle of the route's entity that was made before our hooks ran is under the precondition, too", async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage, precheck: false }, (app) => {
    app.decorateRequest('mine')
    app.addHook('onRequest', async (request) => { request.setDecorator('mine', request.entity('/offers/1')) })
    app.put('/early/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) => {
      const mine = request.getDecorator<ReturnType<typeof request.entity>>('mine')
      return (await mine.replace(() => ({ blind: true }))).value
    })
    app.get('/global', async (request) => ({ found: (await request.entity('/offers/1').read()).value }))
  })
  const etag = await seed(storage)
  const put = async (headers: Record<string, string>) =>
    (await app.inject({ method: 'PUT', url: '/early/1', headers, payload: {} })).statusCode
  t.equal(await put({ 'if-match': '"stale"' }), 412)
  t.equal(await put({}), 400)
  t.same((await storage.read(KEY))?.value, { title: 'seeded' })
  t.equal(await put({ 'if-match': etag }), 200)
  t.equal((await app.inject('/global')).statusCode, 200)
})

await t.test('If-None-Match: * names no strategy where nothing may be created (R55), and nothing is written', async (t) => {
  for (const [method, options] of [['DELETE', {}], ['PATCH', {}], ['PUT', { create: false }]] as const) {
    const { app, storage } = await offersApp(t, { ...options, precheck: false })
    const etag = await seed(storage)
    const response = await app.inject({
      method,
      url: '/offers/1',
      headers: { 'if-none-match': '*' },
      ...(method !== 'DELETE' && { payload: {} })
    })
    t.equal(response.statusCode, 400, method)
    t.equal(`"${(await storage.read(KEY))?.version}"`, etag)
  }
})

await t.test('create of the own entity does not forget If-Match where there is none', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put(
      '/new/:id',
      { config: { ifMatch: { key: '/offers/:id', precheck: false } } },
      async (request) => (await request.entity().create(request.body)).value
    )
  })
  t.equal(
    (await app.inject({ method: 'PUT', url: '/new/1', headers: { 'if-match': '"x"' }, payload: {} })).statusCode,
    412
  )
  t.equal(await storage.read(KEY), undefined)
})

await t.test('writes at once to the own entity follow one another, and each compares with the one before', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/both/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
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
  const response = await app.inject({ method: 'PUT', url: '/both/1', headers: { 'if-match': etag }, payload: {} })
  t.same([response.statusCode, response.json()], [200, { n: 2 }])
  t.equal(response.headers.etag, `"${(await storage.read(KEY))?.version}"`)
})

await t.test('the last word of the own entity counts: a refusal that is not awaited, and that ended long before the answer', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.put('/late/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      await request.entity().unchanged()
      await storage.write(KEY, { title: 'other' }, { kind: 'any' })
      void request.entity().replace(request.body)
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => { setImmediate(resolve) })
      return { swallowed: true }
    })
  })
  const etag = await seed(storage)
  t.equal(
    (await app.inject({ method: 'PUT', url: '/late/1', headers: { 'if-match': etag }, payload: {} })).statusCode,
    412
  )
  t.same((await storage.read(KEY))?.value, { title: 'other' })
})

await t.test('a write to a further entity that nobody awaits on an unguarded route fails as any promise does', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.post('/plain', async (request) => {
      void request.entity('/log/1').create({})
      return { done: true }
    })
  })
  await storage.write('/log/1', {}, { kind: 'any' })
  const unhandled = new Promise((resolve) => { process.once('unhandledRejection', resolve) })
  t.equal((await app.inject({ method: 'POST', url: '/plain' })).statusCode, 200)
  t.match(await unhandled, { code: 'FST_IF_MATCH_PRECONDITION_FAILED' })
})
