import t from 'tap'
import Fastify from 'fastify'
import ifMatch, { type EntityTag } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { IF_MATCH_OPTIONS } from '../../lib/settings.js'
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

await t.test('wrong options of the plugin fail at boot, and the message says what is allowed (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const wrong: Array<[options: Record<string, unknown>, message: string]> = [
    [{ missing: 401 }, '"missing" must be 400, 428, "allow", "warn" or a function of the request, and is 401.'],
    [{ missing: '400' }, '"missing" must be 400, 428, "allow", "warn" or a function of the request, and is "400".'],
    [{ missing: null }, '"missing" must be 400, 428, "allow", "warn" or a function of the request, and is null.'],
    [{ create: true }, '"create" must be false, "if-none-match" or "wildcard", and is true.'],
    [{ create: [] }, '"create" must be false, "if-none-match" or "wildcard", and is an array.'],
    [{ absent: 410 }, '"absent" must be 404 or 412, and is 410.'],
    [
      { compare: 'weak' },
      '"compare" must be "strong", "opaque" or a function that takes and returns { opaque, weak }, and is "weak".'
    ],
    [{ precheck: 'yes' }, '"precheck" must be true or false, and is "yes".'],
    [{ precheck: async () => true }, '"precheck" must be true or false, and is a function.'],
    [{ variant: 'csv' }, '"variant" must be a function of the request and the reply, and is "csv".'],
    [{ global: 1 }, '"global" must be true, false, a list of methods or a function of the route, and is 1.'],
    [{ global: null }, '"global" must be true, false, a list of methods or a function of the route, and is null.'],
    [{ global: 'PUT' }, '"global" must be true, false, a list of methods or a function of the route, and is "PUT".'],
    [{ key: '' }, '"key" must be a pattern such as "/offers/:id" or a function of the request, and is "".'],
    [{ key: 7 }, '"key" must be a pattern such as "/offers/:id" or a function of the request, and is 7.'],
    [
      { key: Promise.resolve('k') },
      '"key" must be a pattern such as "/offers/:id" or a function of the request, and is a promise.'
    ],
    [{ decorator: '' }, '"decorator" must be a name such as "entity", and is "".'],
    [{ decorator: Symbol('x') }, '"decorator" must be a name such as "entity", and is Symbol(x).'],
    [{ mising: 400 }, 'there is no option "mising". Did you mean "missing"?'],
    [{ pre_check: false }, 'there is no option "pre_check". Did you mean "precheck"?'],
    [{ ifMatch: true }, `there is no option "ifMatch". Use ${IF_MATCH_OPTIONS.map((name) => `"${name}"`).join(', ')}.`]
  ]
  for (const [options, message] of wrong) {
    const register = async (): Promise<void> => {
      await newApp(t).register(ifMatch, { storage: memoryAdapter(), ...options } as never)
    }
    await t.rejects(register, {
      code: 'FST_IF_MATCH_INVALID_OPTIONS',
      message: `The fastify-if-match options of the plugin are wrong: ${message} See docs/reference/options.md.`
    })
  }
})

await t.test('a storage that is no adapter fails at boot, and the message says what it is (FST_IF_MATCH_INVALID_ADAPTER)', async (t) => {
  class Adapter { read (): void {} }
  const wrong: Array<[storage: unknown, message: string]> = [
    [undefined, 'of the plugin is missing. Pass one'],
    [null, 'of the plugin is null. Pass one'],
    ['postgres://user:secret@host', 'of the plugin is a string. Pass one'],
    [memoryAdapter, 'of the plugin is a function. Call it'],
    [Adapter, 'of the plugin is a class. Pass an instance'],
    [Promise.resolve(memoryAdapter()), 'of the plugin is a promise. Await it'],
    [{}, 'of the plugin lacks read, write, remove. Pass one'],
    [{ read () {}, write () {} }, 'of the plugin lacks remove. Pass one'],
    [new Adapter(), 'of the plugin lacks write, remove. Pass one'],
    [{ ...memoryAdapter(), open: true }, 'of the plugin has "open", which is no function']
  ]
  for (const [storage, message] of wrong) {
    const flaw = { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: new RegExp(`^The storage adapter ${message}`) }
    await t.rejects(async () => { await newApp(t).register(ifMatch, { storage } as never) }, flaw, message)
  }
  await t.rejects(async () => { await newApp(t).register(ifMatch, {} as never) }, { message: /is missing/ })
})

await t.test('wrong options of a route fail at boot, name the route, and say what is allowed', async (t) => {
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  const add = (ifMatch: unknown) => () => {
    app.put('/offers/:id', { config: { ifMatch: ifMatch as true } }, async () => {})
  }
  const values = '"ifMatch" must be true, false or an object of options, and is'
  const wrong: Array<[options: unknown, message: string]> = [
    [{ missing: 1 }, '"missing" must be 400, 428, "allow", "warn" or a function of the request, and is 1.'],
    [{ global: true }, '"global" is an option of the plugin alone.'],
    [{ decorator: 'x' }, '"decorator" is an option of the plugin alone.'],
    [{ constructor: true }, 'there is no option "constructor".'],
    [{ mising: 400 }, 'there is no option "mising". Did you mean "missing"?'],
    ['true', `${values} "true".`],
    ['yes', `${values} "yes".`],
    [null, `${values} null.`],
    [1, `${values} 1.`],
    [0, `${values} 0.`],
    [[], `${values} an array.`],
    [() => true, `${values} a function.`]
  ]
  for (const [options, message] of wrong) {
    const refused = `The fastify-if-match options of PUT /offers/:id are wrong: ${message}`
    t.throws(add(options), {
      code: 'FST_IF_MATCH_INVALID_OPTIONS',
      message: new RegExp(`^${refused.replace(/[.?()]/g, '\\$&')}`)
    })
  }
  t.throws(add({ storage: {} }), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /^The storage adapter of PUT \/offers\/:id lacks read/
  })
  t.doesNotThrow(add({}))
})

await t.test('an option that is undefined is one that was left out', async (t) => {
  const app = newApp(t)
  const nothing = Object.fromEntries(IF_MATCH_OPTIONS.map((name) => [name, undefined]))
  await app.register(ifMatch, { ...nothing, storage: memoryAdapter() } as never)
  app.put('/offers/:id', { config: { ifMatch: { missing: undefined, storage: undefined } as never } }, async () => {})
  app.put('/plain/:id', { config: { ifMatch: undefined } as never }, async () => 'plain')
  t.equal(await statusOf(app, 'PUT /offers/1'), 400)
  t.equal(await statusOf(app, 'PUT /plain/1'), 200)
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
