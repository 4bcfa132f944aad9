import t from 'tap'
import Fastify from 'fastify'
import ifMatch, { type EntityTag } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { newApp, offersApp, seed } from '../support/offers-app.js'

await t.test('compare "opaque": a tag that a gateway marked weak passes; by default it never does (R23, R24)', async (t) => {
  for (const [compare, status] of [['strong', 412], ['opaque', 200]] as const) {
    const { app, storage } = await offersApp(t, { compare })
    const etag = await seed(storage)
    t.equal(
      (await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': `W/${etag}` }, payload: {} }))
        .statusCode,
      status
    )
    t.equal(
      (await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': 'W/"x"' }, payload: {} })).statusCode,
      412
    )
  }
})

await t.test('compare as a function strips what a gateway appended, in If-Match and If-None-Match (R18)', async (t) => {
  const strip = ({ opaque, weak }: EntityTag): EntityTag => ({ opaque: opaque.replace(/--?gzip$/, ''), weak })
  const { app, storage } = await offersApp(t, { compare: strip })
  const etag = await seed(storage)
  const appended = etag.replace(/"$/, '--gzip"')
  t.equal((await app.inject({ url: '/offers/1', headers: { 'if-none-match': appended } })).statusCode, 304)
  t.equal(
    (await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': `W/${appended}` }, payload: {} }))
      .statusCode,
    412
  )
  t.equal(
    (await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': appended }, payload: {} })).statusCode,
    200
  )
  const { app: strict, storage: other } = await offersApp(t)
  t.equal(
    (
      await strict.inject({
        method: 'PUT',
        url: '/offers/1',
        headers: { 'if-match': (await seed(other)).replace(/"$/, '--gzip"') },
        payload: {}
      })
    ).statusCode,
    412
  )
})

await t.test('precheck: a tag is compared before the handler; * compares nothing and reads nothing; false saves the read', async (t) => {
  for (const precheck of [true, false]) {
    const calls: string[] = []
    const storage = memoryAdapter({ around: (step, operation) => { calls.push(operation); return step() } })
    const { app } = await offersApp(t, { storage, precheck })
    const etag = await seed(storage)
    const put = async (ifMatch: string): Promise<string[]> => {
      calls.length = 0
      await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': ifMatch }, payload: {} })
      return [...calls]
    }
    t.same(await put('"x"'), precheck ? ['read'] : ['write'])
    t.same(await put('*'), ['write'])
    t.same(await put(etag), precheck ? ['read'] : ['write'])
    t.same(await put(`"${(await storage.read('/offers/1'))?.version}"`), precheck ? ['read', 'write'] : ['write'])
    calls.length = 0
    await app.inject('/offers/1')
    t.same(calls, ['read'], 'a GET reads once')
  }
})

await t.test('precheck false: a read whose handler never looks at the entity has no tag, and no 304', async (t) => {
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/blind/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async () => ({
      blind: true
    }))
    app.get('/other/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) => {
      request.entity()
      return {}
    })
  })
  const etag = await seed(storage)
  for (const url of ['/blind/1', '/other/1']) {
    const response = await app.inject({ url, headers: { 'if-none-match': etag } })
    t.same([response.statusCode, response.headers.etag], [200, undefined])
  }
})

await t.test('the early comparison is a courtesy; the write decides (R56, R58)', async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/raced/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      await storage.write('/offers/1', { title: 'other' }, { kind: 'any' })
      return (await request.entity().replace(request.body)).value
    })
  })
  const etag = await seed(storage)
  t.equal(
    (await app.inject({ method: 'PUT', url: '/raced/1', headers: { 'if-match': etag }, payload: {} })).statusCode,
    412
  )
  t.same((await storage.read('/offers/1'))?.value, { title: 'other' })
})

await t.test('wrong options of the plugin fail at boot (FST_IF_MATCH_INVALID_OPTIONS, FST_IF_MATCH_INVALID_ADAPTER)', async (t) => {
  const storage = memoryAdapter()
  const wrong: Array<[unknown, string]> = [
    [{ storage, missing: 404 }, 'missing'],
    [{ storage, missing: '400' }, 'missing'],
    [{ storage, create: true }, 'create'],
    [{ storage, absent: 410 }, 'absent'],
    [{ storage, compare: 'weak' }, 'compare'],
    [{ storage, precheck: 'yes' }, 'precheck'],
    [{ storage, global: 1 }, 'global'],
    [{ storage, key: '' }, 'key'],
    [{ storage, key: 7 }, 'key'],
    [{ storage, mising: 400 }, 'mising']
  ]
  for (const [options, name] of wrong) {
    const app = newApp(t)
    await t.rejects(
      async () => {
        await app.register(ifMatch, options as never)
      },
      { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: new RegExp(`the plugin.*"${name}"`) },
      name
    )
  }
  for (const options of [
    {},
    { storage: undefined },
    { storage: null },
    { storage: {} },
    { storage: 'memory' },
    { storage: { read () {}, write () {} } }
  ]) {
    const app = newApp(t)
    await t.rejects(
      async () => {
        await app.register(ifMatch, options as never)
      },
      { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /storage/ }
    )
  }
})

await t.test('wrong options of a route fail at boot and name the route', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const add = (ifMatch: unknown) => () => {
    app.put('/offers/:id', { config: { ifMatch: ifMatch as true } }, async () => {})
  }
  for (const [options, name] of [
    [{ missing: 1 }, '"missing"'],
    [{ global: true }, '"global"'],
    ['yes', 'they'],
    [null, 'they'],
    [1, 'they']
  ] as const) {
    t.throws(
      add(options),
      { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: new RegExp(`PUT /offers/:id .*${name}`) },
      String(name)
    )
  }
  t.throws(add({ storage: {} }), { code: 'FST_IF_MATCH_INVALID_ADAPTER' })
})

await t.test('what Fastify itself adds to the options of register() is no mistake', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter(), prefix: '/x', logLevel: 'warn', logSerializers: {} } as never)
})

await t.test('the options of a route lie over those of the plugin, storage included', async (t) => {
  const main = memoryAdapter()
  const own = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage: main, missing: 428 })
  app.put(
    '/a/:id',
    { config: { ifMatch: { storage: own } } },
    async (request) => (await request.entity().replace(request.body)).value
  )
  t.equal((await app.inject({ method: 'PUT', url: '/a/1', payload: {} })).statusCode, 428)
  t.equal(
    (await app.inject({ method: 'PUT', url: '/a/1', headers: { 'if-none-match': '*' }, payload: {} })).statusCode,
    200
  )
  t.ok(await own.read('/a/1'))
  t.equal(await main.read('/a/1'), undefined)
})

await t.test('adapters are opened before the app is ready and closed with it, each once, those of routes too', async (t) => {
  const calls: string[] = []
  const lifecycle = (name: string) => ({
    ...memoryAdapter(),
    open: async () => {
      calls.push(`open ${name}`)
    },
    close: async () => {
      calls.push(`close ${name}`)
    }
  })
  const shared = lifecycle('shared')
  const own = lifecycle('own')
  const app = Fastify()
  await app.register(ifMatch, { storage: shared })
  app.put('/a', { config: { ifMatch: { storage: own } } }, async () => {})
  await app.register(async (scope) => { await scope.register(ifMatch, { storage: shared }) })
  const other = Fastify()
  await other.register(ifMatch, { storage: shared })
  t.same(calls, [])
  await app.ready()
  await other.ready()
  t.same(calls, ['open shared', 'open own'])
  await app.close()
  t.same(calls.slice(2), ['close own'], 'another app still uses the shared one')
  await other.close()
  t.same(calls.slice(3), ['close shared'])
})

await t.test('an adapter that refuses to open refuses the boot, and is not closed; a later start opens it again', async (t) => {
  let attempts = 0
  let closed = 0
  const storage = {
    ...memoryAdapter(),
    open: async () => {
      if (++attempts === 1) throw new Error('cannot do this')
    },
    close: async () => {
      closed++
    }
  }
  const first = Fastify()
  await first.register(ifMatch, { storage })
  await t.rejects(async () => { await first.ready() }, { message: 'cannot do this' })
  await first.close()
  t.equal(closed, 0)
  const second = Fastify()
  await second.register(ifMatch, { storage })
  await second.ready()
  await second.close()
  t.equal(closed, 1)
})
