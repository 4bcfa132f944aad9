import t from 'tap'
import Fastify from 'fastify'
import ifMatch, { type EntityTag } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { ANY } from '../support/expectations.js'
import { newApp, offersApp, seed, send, statusOf, tagOf, valueOf } from '../support/offers-app.js'

await t.test('compare "opaque": a tag that a gateway marked weak passes; by default it never does (RFC 9110 8.8.3.2)', async (t) => {
  for (const [compare, status] of [['strong', 412], ['opaque', 200]] as const) {
    const { app, storage } = await offersApp(t, { compare })
    const etag = await seed(storage)
    t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': `W/${etag}` }), status)
    t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': 'W/"x"' }), 412)
  }
})

await t.test('compare as a function drops what a gateway appended, in If-Match and If-None-Match', async (t) => {
  const strip = ({ opaque, weak }: EntityTag): EntityTag => ({ opaque: opaque.replace(/--?gzip$/, ''), weak })
  const { app, storage } = await offersApp(t, { compare: strip })
  const appended = (await seed(storage)).replace(/"$/, '--gzip"')
  t.equal(await statusOf(app, 'GET /offers/1', { 'if-none-match': appended }), 304)
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': `W/${appended}` }), 412)
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': appended }), 200)
  const { app: strict, storage: other } = await offersApp(t)
  const unknown = (await seed(other)).replace(/"$/, '--gzip"')
  t.equal(await statusOf(strict, 'PUT /offers/1', { 'if-match': unknown }), 412)
})

await t.test('precheck: a tag is compared before the handler; * compares nothing and reads nothing; false saves the read', async (t) => {
  for (const precheck of [true, false]) {
    const calls: string[] = []
    const storage = memoryAdapter({ around: (step, operation) => { calls.push(operation); return step() } })
    const { app } = await offersApp(t, { storage, precheck })
    const etag = await seed(storage)
    const put = async (ifMatch: string | undefined): Promise<string[]> => {
      calls.length = 0
      await send(app, 'PUT /offers/1', { 'if-match': ifMatch })
      return [...calls]
    }
    t.same(await put('"x"'), precheck ? ['read'] : ['write'])
    t.same(await put('*'), ['write'])
    t.same(await put(etag), precheck ? ['read'] : ['write'])
    t.same(await put(await tagOf(storage)), precheck ? ['read', 'write'] : ['write'])
    calls.length = 0
    await app.inject('/offers/1')
    t.same(calls, ['read'], 'a GET reads once')
  }
})

await t.test('precheck false: the answer to a GET whose handler does not read the entity has no tag, and is no 304', async (t) => {
  const config = { ifMatch: { key: '/offers/:id', precheck: false } }
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.get('/blind/:id', { config }, async () => ({ blind: true }))
    app.get('/other/:id', { config }, async (request) => {
      request.entity()
      return {}
    })
  })
  const etag = await seed(storage)
  for (const url of ['/blind/1', '/other/1']) {
    const response = await send(app, `GET ${url}`, { 'if-none-match': etag })
    t.same([response.statusCode, response.headers.etag], [200, undefined])
  }
})

await t.test('the comparison before the handler spares work; the write decides', async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/raced/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      await storage.write('/offers/1', { title: 'other' }, ANY)
      return (await request.entity().replace(request.body)).value
    })
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'PUT /raced/1', { 'if-match': etag }), 412)
  t.same(await valueOf(storage), { title: 'other' })
})

await t.test('wrong options of the plugin fail at boot (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const storage = memoryAdapter()
  const wrong: Array<[unknown, string]> = [
    [{ storage, missing: 404 }, 'missing'],
    [{ storage, missing: '400' }, 'missing'],
    [{ storage, create: true }, 'create'],
    [{ storage, absent: 410 }, 'absent'],
    [{ storage, compare: 'weak' }, 'compare'],
    [{ storage, precheck: 'yes' }, 'precheck'],
    [{ storage, variant: 'csv' }, 'variant'],
    [{ storage, global: 1 }, 'global'],
    [{ storage, key: '' }, 'key'],
    [{ storage, key: 7 }, 'key'],
    [{ storage, mising: 400 }, 'mising']
  ]
  for (const [options, name] of wrong) {
    const flaw = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: new RegExp(`the plugin.*"${name}"`) }
    await t.rejects(async () => { await newApp(t).register(ifMatch, options as never) }, flaw, name)
  }
})

await t.test('a storage that is no adapter fails at boot (FST_IF_MATCH_INVALID_ADAPTER)', async (t) => {
  const flaw = { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /storage/ }
  for (const storage of [undefined, null, {}, 'memory', { read () {}, write () {} }]) {
    await t.rejects(async () => { await newApp(t).register(ifMatch, { storage } as never) }, flaw)
  }
  await t.rejects(async () => { await newApp(t).register(ifMatch, {} as never) }, flaw)
})

await t.test('wrong options of a route fail at boot and name the route', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const add = (ifMatch: unknown) => () => {
    app.put('/offers/:id', { config: { ifMatch: ifMatch as true } }, async () => {})
  }
  const wrong = [
    [{ missing: 1 }, '"missing"'], [{ global: true }, '"global"'], ['yes', 'they'], [null, 'they'], [1, 'they']
  ] as const
  for (const [options, name] of wrong) {
    const flaw = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: new RegExp(`PUT /offers/:id .*${name}`) }
    t.throws(add(options), flaw, String(name))
  }
  t.throws(add({ storage: {} }), { code: 'FST_IF_MATCH_INVALID_ADAPTER' })
})

await t.test('options that Fastify itself adds to those of register() are no mistake', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter(), prefix: '/x', logLevel: 'warn', logSerializers: {} } as never)
})

await t.test('the options of a route lie over those of the plugin, storage included', async (t) => {
  const main = memoryAdapter()
  const own = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage: main, missing: 428 })
  app.put('/a/:id', { config: { ifMatch: { storage: own } } }, async (request) =>
    (await request.entity().replace(request.body)).value)
  t.equal(await statusOf(app, 'PUT /a/1'), 428)
  t.equal(await statusOf(app, 'PUT /a/1', { 'if-none-match': '*' }), 200)
  t.ok(await own.read('/a/1'))
  t.equal(await main.read('/a/1'), undefined)
})

await t.test('adapters are opened before the app is ready and closed with it, each once, those of routes too', async (t) => {
  const calls: string[] = []
  const lifecycle = (name: string) => ({
    ...memoryAdapter(),
    open: async () => { calls.push(`open ${name}`) },
    close: async () => { calls.push(`close ${name}`) }
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
    open: async () => { if (++attempts === 1) throw new Error('cannot do this') },
    close: async () => { closed++ }
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
