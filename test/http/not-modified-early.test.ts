// The option `notModified: 'early'`: a 304 ahead of the handler.
import compress from '@fastify/compress'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import ifMatch, { type ReadOptions, type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { barrier } from '../support/barrier.js'
import { ANY } from '../support/expectations.js'
import { newApp, offersApp, seed, send, type Offer } from '../support/offers-app.js'

const EARLY = { key: '/offers/:id', notModified: 'early' as const }
const KEY = '/offers/1'

type Hook = (this: unknown, ...args: unknown[]) => unknown

/** A storage in memory that notes what it was asked to leave out, and whether it did. */
function noted () {
  const reads: Array<{ unless: ReadOptions['unless'], hasValue: boolean }> = []
  const memory = memoryAdapter()
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      const stored = await memory.read(key, options)
      reads.push({ unless: options?.unless, hasValue: stored !== undefined && 'value' in stored })
      return stored
    }
  }
  return { storage, reads }
}

/** An app whose handler of GET counts how often it was entered. */
async function countingApp (t: Test, storage: StorageAdapter, prepare?: (app: FastifyInstance) => unknown) {
  const entered = { count: 0 }
  const { app } = await offersApp(t, { storage }, async (app) => {
    await prepare?.(app)
    app.get('/early/:id', { config: { ifMatch: EARLY } }, async (request, reply) => {
      entered.count++
      reply.header('vary', 'x-handler')
      return (await request.entity<Offer>().read()).value
    })
  })
  return { app, entered }
}

await t.test('early: a client with a current copy is answered 304 ahead of the handler, and no value is read (RFC 9110 13.1.2)', async (t) => {
  const { storage, reads } = noted()
  const { app, entered } = await countingApp(t, storage)
  const etag = await seed(storage)
  const version = etag.slice(1, -1)
  for (const [tags, unless] of [
    [etag, [version]],
    [`W/${etag}`, [version]],
    [`"old", ${etag}`, ['old', version]],
    ['*', '*']
  ] as const) {
    for (const method of ['GET', 'HEAD']) {
      reads.length = 0
      const response = await send(app, `${method} /early/1`, { 'if-none-match': tags })
      t.equal(response.statusCode, 304, `${method} ${tags}`)
      t.match(response.headers, { etag, 'cache-control': 'no-cache', 'content-length': undefined, vary: undefined })
      t.equal(response.body, '')
      t.strictSame(reads, [{ unless, hasValue: false }])
    }
  }
  t.equal(entered.count, 0)
})

await t.test('early: without a current copy the handler runs, on one read that has the value', async (t) => {
  const { storage, reads } = noted()
  const { app, entered } = await countingApp(t, storage)
  const etag = await seed(storage)
  for (const sent of [{}, { 'if-none-match': '"old"' }, { 'if-none-match': '"old", "older"' }]) {
    reads.length = 0
    const response = await send(app, 'GET /early/1', sent)
    t.match(response, { statusCode: 200, headers: { etag, vary: 'x-handler' } })
    t.same(response.json(), { title: 'seeded' })
    t.match(reads, [{ hasValue: true }])
    t.equal(reads.length, 1)
  }
  t.equal(entered.count, 3)
  t.equal((await send(app, 'GET /early/2', { 'if-none-match': '*' })).statusCode, 404)
  t.equal((await send(app, 'GET /early/1', { 'if-none-match': 'no tag' })).statusCode, 400)
})

await t.test('early: a false If-Match is 412, whatever copy the client has (RFC 9110 13.2.2)', async (t) => {
  const { storage } = noted()
  const { app, entered } = await countingApp(t, storage)
  const etag = await seed(storage)
  const sent = { 'if-match': '"old"', 'if-none-match': etag }
  t.match(await send(app, 'GET /early/1', sent), { statusCode: 412, headers: { etag } })
  t.equal((await send(app, 'GET /early/1', { 'if-match': etag, 'if-none-match': etag })).statusCode, 304)
  t.equal(entered.count, 0)
})

await t.test('early: what hooks of the app refuse comes first, and their headers are on the 304', async (t) => {
  const { storage } = noted()
  const { app } = await countingApp(t, storage, (app) => {
    app.addHook('preHandler', async (request, reply) => {
      reply.header('vary', 'authorization')
      if (request.headers.authorization === undefined) await reply.code(401).send({ message: 'who?' })
    })
  })
  const etag = await seed(storage)
  t.equal((await send(app, 'GET /early/1', { 'if-none-match': etag })).statusCode, 401)
  const known = await send(app, 'GET /early/1', { 'if-none-match': etag, authorization: 'me' })
  t.match(known, { statusCode: 304, headers: { vary: 'authorization', etag } })
})

await t.test('early: a comparison that somebody else starts twice sends one 304', async (t) => {
  const { storage } = noted()
  const sent: number[] = []
  const { app } = await countingApp(t, storage, (app) => {
    app.addHook('onSend', async (_request, reply) => { sent.push(reply.statusCode) })
    app.addHook('onRoute', (route) => {
      // Concatenated, the list has our hook, which runs once more at the end.
      const hooks = ([] as Hook[]).concat(route.preHandler as unknown as Hook[] | undefined ?? [])
      t.equal(hooks.length, 1)
      const unwatched: Hook = function (request, reply, done) {
        hooks[0]!.call(this, request, reply, () => {})
        ;(done as () => void)()
      }
      Object.assign(route, { preHandler: [unwatched] })
    })
  })
  const etag = await seed(storage)
  t.match(await send(app, 'GET /early/1', { 'if-none-match': etag }), { statusCode: 304, headers: { etag } })
  t.strictSame(sent, [304])
})

await t.test('early: a copy in a content-coding will do if the client accepts that coding (decision 0003)', async (t) => {
  const storage = memoryAdapter()
  const app = newApp(t)
  await app.register(compress, { threshold: 0 })
  await app.register(ifMatch, { storage, notModified: 'early' })
  let entered = 0
  app.get('/offers/:id', { config: { ifMatch: true } }, async (request) => {
    entered++
    return (await request.entity<Offer>().read()).value
  })
  await seed(storage)
  const zipped = await send(app, 'GET /offers/1', { 'accept-encoding': 'gzip' })
  const etag = String(zipped.headers.etag)
  t.match(etag, /;gzip"$/)
  const statusOf = async (tag: string, accepted?: string): Promise<number> => {
    const accept = accepted !== undefined && { 'accept-encoding': accepted }
    return (await send(app, 'GET /offers/1', { 'if-none-match': tag, ...accept })).statusCode
  }
  t.equal(await statusOf(etag, 'gzip'), 304)
  t.equal(await statusOf(etag, 'br;q=1.0, gzip;q=0.8'), 304)
  t.equal(await statusOf(etag.replace(';gzip', ''), 'gzip'), 304)
  t.equal(entered, 1)
  t.equal(await statusOf(etag), 200)
  t.equal(await statusOf(etag.replace(';gzip', ';csv'), 'gzip'), 200)
  t.equal(entered, 3)
})

await t.test('early: Accept-Encoding is what hooks made of it, of whatever type', async (t) => {
  const { storage } = noted()
  const { app } = await countingApp(t, storage, (app) => {
    app.addHook('preHandler', async ({ headers }) => { Object.assign(headers, { 'accept-encoding': ['br', 'gzip'] }) })
  })
  const etag = await seed(storage)
  const zipped = etag.replace(/"$/, ';gzip"')
  t.match(await send(app, 'GET /early/1', { 'if-none-match': zipped }), { statusCode: 304, headers: { etag: zipped } })
})

await t.test('early: a hook that set another status than that of a success has decided (RFC 9110 13.2.1)', async (t) => {
  const { storage } = noted()
  const { app, entered } = await countingApp(t, storage, (app) => {
    app.addHook('preHandler', async (_request, reply) => { reply.code(410) })
  })
  t.equal((await send(app, 'GET /early/1', { 'if-none-match': await seed(storage) })).statusCode, 410)
  t.equal(entered.count, 1)
})

await t.test('early: what a hook reads while the comparison is under way is not older than what was compared: no body has the tag of a later one', async (t) => {
  const [begun, written, compared] = [barrier(), barrier(), barrier()]
  const memory = memoryAdapter()
  let reads = 0
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      if (reads++ > 0) {
        const stored = await memory.read(key, options)
        await compared.opened
        return stored
      }
      begun.open()
      await written.opened
      setImmediate(compared.open)
      return await memory.read(key, options)
    }
  }
  let read: Promise<{ value: Offer }> | undefined
  const { app } = await offersApp(t, { storage }, (app) => {
    app.addHook('preHandler', async (request) => {
      read = begun.opened.then(async () => {
        const reading = request.entity<Offer>().read()
        await memory.write(KEY, { title: 'newer' }, ANY)
        written.open()
        return await reading
      })
    })
    app.get('/early/:id', { config: { ifMatch: EARLY } }, async () => (await read)!.value)
  })
  await seed(storage)
  const response = await send(app, 'GET /early/1', { 'if-none-match': '"old"' })
  t.match(response, { statusCode: 200, headers: { etag: `"${(await memory.read(KEY))!.version}"` } })
  t.same(response.json(), { title: 'newer' })
})

await t.test('early has no effect on a route with variants: the handler settles which one the answer is', async (t) => {
  const storage = memoryAdapter()
  const { app } = await offersApp(t, { storage }, (app) => {
    const variant = (_request: unknown, reply: FastifyReply) => reply.getHeader('x-variant') as string | undefined
    app.get('/early/:id', { config: { ifMatch: { ...EARLY, variant } } }, async (request, reply) => {
      const { as } = request.query as { as?: string }
      if (as !== undefined) reply.header('x-variant', as)
      return (await request.entity<Offer>().read()).value
    })
  })
  const main = await seed(storage)
  const csv = main.replace(/"$/, ';csv"')
  t.equal((await send(app, 'GET /early/1?as=csv', { 'if-none-match': csv })).statusCode, 304)
  t.equal((await send(app, 'GET /early/1', { 'if-none-match': main })).statusCode, 304)
  t.match(await send(app, 'GET /early/1', { 'if-none-match': csv }), { statusCode: 200, headers: { etag: main } })
  const other = await send(app, 'GET /early/1?as=csv', { 'if-none-match': main })
  t.match(other, { statusCode: 200, headers: { etag: csv } })
})

await t.test('early: an adapter that gives the value all the same is right; precheck: false enters the handler first', async (t) => {
  const memory = memoryAdapter()
  const storage: StorageAdapter = { ...memory, read: async (key) => await memory.read(key) }
  const entered: string[] = []
  const { app } = await offersApp(t, { storage }, (app) => {
    app.get('/early/:id', { config: { ifMatch: EARLY } }, async () => { entered.push('early') })
    const late = { ...EARLY, precheck: false }
    app.get('/late/:id', { config: { ifMatch: late } }, async (request) => {
      entered.push('late')
      return (await request.entity<Offer>().read()).value
    })
  })
  const etag = await seed(storage)
  t.equal((await send(app, 'GET /early/1', { 'if-none-match': etag })).statusCode, 304)
  t.equal((await send(app, 'GET /late/1', { 'if-none-match': etag })).statusCode, 304)
  t.strictSame(entered, ['late'])
})

await t.test('a PUT and a DELETE are compared on a read without a value; what changes a value reads it in that read', async (t) => {
  const { storage, reads } = noted()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/edited/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) =>
      (await request.entity<Offer>().replace((current) => ({ ...current!, price: 7 }))).value)
  })
  const cases: Array<[request: string, reads: unknown[]]> = [
    ['PUT /offers/1', [{ unless: '*', hasValue: false }]],
    ['PATCH /offers/1', [{ unless: undefined, hasValue: true }]],
    ['POST /offers/1', [{ unless: undefined, hasValue: true }]],
    // Its handler asks for the value, which is read then.
    ['PUT /edited/1', [{ unless: '*', hasValue: false }, { unless: undefined, hasValue: true }]],
    ['DELETE /offers/1', [{ unless: '*', hasValue: false }]]
  ]
  for (const [request, expected] of cases) {
    const etag = await seed(storage)
    reads.length = 0
    t.match((await send(app, request, { 'if-match': etag }, { title: 'sent' })).statusCode, /^20[04]$/, request)
    t.strictSame(reads, expected, request)
  }
  t.equal((await send(app, 'PATCH /offers/1', { 'if-match': '"x"' })).statusCode, 404)
})

await t.test('a value that a handler reads behind a comparison without one is that of the same version, or of a later one with its tag', async (t) => {
  const { storage } = noted()
  const { app } = await offersApp(t, { storage }, (app) => {
    app.put('/read/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      await storage.write(KEY, { title: 'other' }, ANY)
      const { value, etag } = await request.entity<Offer>().read()
      t.same(value, { title: 'other' })
      t.equal(etag, `"${(await storage.read(KEY))!.version}"`)
      return (await request.entity<Offer>().replace({ title: 'mine' })).value
    })
  })
  const etag = await seed(storage)
  t.match(await send(app, 'PUT /read/1', { 'if-match': etag }), { statusCode: 412 })
  t.same((await storage.read(KEY))!.value, { title: 'other' })
})
