import { once } from 'node:events'
import { connect } from 'node:http2'
import { Readable } from 'node:stream'
import t from 'tap'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import ifMatch, { type Locked, type StorageAdapter, type TransactionAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { satisfies } from '../../lib/storage/kit/expectation.js'
import type { Tx } from '../support/orders-app.js'
import { listen, newApp, seed, send, statusOf, tagOf, valueOf, type Offer } from '../support/offers-app.js'
import { transactionsOverLogs, type Log } from '../support/resend/storages.js'
import { resend, resendingApp } from '../support/resending-app.js'

await t.test('resend: a caller that throws, is asked too early, or is no name is 500 FST_IF_MATCH_INVALID_OPTIONS, and nothing is written', async (t) => {
  const rejects = async (): Promise<string> => await Promise.reject(new Error('never awaited'))
  for (const caller of [() => { throw new Error('nobody') }, () => undefined, () => '', () => 7, rejects]) {
    for (const precheck of [true, false]) {
      const { app, storage } = await resendingApp(t, { resend: { caller: caller as () => string }, precheck })
      const etag = await seed(storage)
      for (const headers of [{ 'if-match': etag }, { 'if-none-match': '*' }]) {
        const answer = await send(app, `PUT /offers/${'if-match' in headers ? 1 : 2}`, headers)
        t.strictSame([answer.statusCode, answer.json().code], [500, 'FST_IF_MATCH_INVALID_OPTIONS'])
      }
      t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': '*' }), 200, 'under * nobody asks')
      t.equal(await storage.read('/offers/2'), undefined)
    }
  }
})

await t.test('resend: wrong options stop the boot', async (t) => {
  for (const resend of [true, {}, { caller: 'ada' }, { caller: () => 'a', ttl: 1 }, 'ada', null]) {
    await t.rejects(resendingApp(t, { resend: resend as never }), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
  }
})

await t.test('resend: the caller is asked behind the hooks of the app, and once a request', async (t) => {
  let asked = 0
  const caller = ({ user }: FastifyRequest & { user?: string }): string => { asked++; return user! }
  const { app, storage } = await resendingApp(t, { resend: { caller } }, (app) => {
    app.decorateRequest('user')
    app.addHook('preHandler', async (request) => { Object.assign(request, { user: request.headers['x-user'] }) })
  })
  const headers = { 'if-match': await seed(storage), 'x-user': 'ada', 'idempotency-key': 'k' }
  t.equal(await statusOf(app, 'PUT /offers/1', headers), 200)
  t.equal(await statusOf(app, 'PUT /offers/1', headers), 200)
  t.equal(asked, 2)
  t.equal(await statusOf(app, 'PUT /offers/1', { ...headers, 'x-user': 'bea' }), 412)
})

await t.test('resend: texts and bytes are compared as they are; what nothing tells is never taken for the same, unless a key names it', async (t) => {
  const parse = (app: FastifyInstance): void => {
    app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
    app.addContentTypeParser('image/png', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
    app.addContentTypeParser('app/map', { parseAs: 'string' }, (_request, body, done) => {
      done(null, new Map([[1, body]]))
    })
    app.addContentTypeParser('app/stream', (_request, payload, done) => { done(null, payload) })
    app.addContentTypeParser('app/unread', (_request, payload, done) => {
      payload.resume().on('end', () => { done(null) })
    })
  }
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    parse(app)
    app.post('/act/:id', { config }, async (request) => {
      const { body } = request
      if (body instanceof Readable) body.resume()
      return (await request.entity<Offer>().update((offer) => ({ ...offer, price: (offer.price ?? 0) + 1 }))).value
    })
  })
  for (const [type, again, other] of [
    ['text/csv', 200, 412],
    ['image/png', 200, 412],
    ['app/map', 412, 412],
    ['app/stream', 412, 412],
    ['app/unread', 412, 412]
  ] as const) {
    const headers = { 'if-match': await seed(storage), 'content-type': type }
    t.equal(await statusOf(app, 'POST /act/1', headers, 'same'), 200, type)
    t.equal(await statusOf(app, 'POST /act/1', headers, 'same'), again, type)
    t.equal(await statusOf(app, 'POST /act/1', headers, 'another'), other, type)
    const keyed = { ...headers, 'if-match': await tagOf(storage), 'idempotency-key': type }
    for (let count = 0; count < 2; count++) t.equal(await statusOf(app, 'POST /act/1', keyed, 'same'), 200, type)
    t.match(await valueOf(storage), { price: 2 })
  }
})

await t.test('resend: a request without a body is the same again', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.post('/act/:id', { config }, async (request) =>
      (await request.entity<Offer>().update((offer) => ({ ...offer, price: 1 }))).value)
  })
  const headers = { 'if-match': await seed(storage) }
  const post = async () => (await app.inject({ method: 'POST', url: '/act/1', headers })).statusCode
  t.strictSame([await post(), await post()], [200, 200])
})

await t.test('resend: over HTTP/2, a body that nobody parsed is not taken for none', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(async () => { await app.close() })
  const storage = memoryAdapter<Offer>()
  await app.register(ifMatch, { storage, resend })
  app.post('/offers/:id', { config: { ifMatch: true } }, async (request) => {
    request.raw.resume()
    return (await request.entity<Offer>().update((offer) => ({ ...offer, price: 1 }))).value
  })
  const session = connect(`http://127.0.0.1:${await listen(app as unknown as FastifyInstance)}`)
  t.teardown(() => { session.close() })
  const post = async (etag: string, body?: string): Promise<number> => {
    const headers = { ':method': 'POST', ':path': '/offers/1', 'if-match': etag }
    const request = session.request(headers, { endStream: body === undefined })
    if (body !== undefined) request.end(body)
    const [answer] = await once(request, 'response') as [{ ':status': number }]
    request.resume()
    await once(request, 'close')
    return answer[':status']
  }
  for (const [body, again] of [[undefined, 200], ['a', 412]] as const) {
    const etag = await seed(storage)
    t.equal(await post(etag, body), 200)
    t.equal(await post(etag, body), again)
  }
})

await t.test('resend: a write that was rolled back with its transaction was no earlier try, and the next one is the first', async (t) => {
  const storage = transactionsOverLogs(t)
  const app = newApp(t)
  await app.register(ifMatch, { storage, resend })
  app.put('/logs/:id', { config: { ifMatch: true } }, async (request) => {
    const [log, other] = [request.entity<Log>(), request.entity<Log>('/logs/other')]
    const attempt = async (fails: boolean): Promise<Log> => (await other.transaction(async (tx: Tx) => {
      const { value } = await log.replace(request.body as Log)
      tx.prepare("UPDATE logs SET row_version = row_version + 1 WHERE id = 'other'").run()
      if (fails) throw new Error('half of the work')
      return value
    })).value
    await attempt(true).catch(() => {})
    return await attempt(false)
  })
  const etag = await seedLog(storage, '/logs/1')
  await seedLog(storage, '/logs/other')
  const headers = { 'if-match': etag }
  const put = async () => await send(app, 'PUT /logs/1', headers, { changes: 'mine' })
  const answers = [await put(), await put()]
  t.strictSame(answers.map(({ statusCode }) => statusCode), [200, 200])
})

async function seedLog (storage: StorageAdapter, key: string): Promise<string> {
  const result = await storage.write(key, { changes: '' }, { kind: 'absent' })
  return result.applied ? `"${result.version}"` : ''
}

await t.test('resend: what the handler does to its body does not count', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.put('/act/:id', { config }, async (request) => {
      Object.assign(request.body as Offer, { price: Math.random() })
      request.headers['idempotency-key'] = 'k'
      return (await request.entity<Offer>().replace(request.body as Offer)).value
    })
  })
  const headers = { 'if-match': await seed(storage) }
  const answers = [await send(app, 'PUT /act/1', headers), await send(app, 'PUT /act/1', headers)]
  t.strictSame(answers.map(({ statusCode }) => statusCode), [200, 200])
  t.equal(answers[1]?.body, answers[0]?.body, 'the answer is what is stored')
})

await t.test('resend: of several writes to its entity, the first alone is repeated: a request that ended between them is completed, one that was carried out is 412', async (t) => {
  let fails = true
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.post('/act/:id', { config }, async (request) => {
      const offer = request.entity<Offer>()
      await offer.replace({ title: 'first' })
      if (fails) throw Object.assign(new Error('between the two'), { statusCode: 400 })
      return (await offer.update(({ title }) => ({ title: `${title}, second` }))).value
    })
  })
  for (const key of [{}, { 'idempotency-key': 'k' }]) {
    fails = true
    const headers = { ...key, 'if-match': await seed(storage) }
    t.equal(await statusOf(app, 'POST /act/1', headers), 400)
    fails = false
    t.equal(await statusOf(app, 'POST /act/1', headers), 200)
    t.same(await valueOf(storage), { title: 'first, second' })
    const again = await send(app, 'POST /act/1', headers)
    t.equal(again.statusCode, 412)
    t.match(again.json().message, /applied before, and what it wrote is what is there/)
    t.same(await valueOf(storage), { title: 'first, second' })
  }
  const headers = { 'idempotency-key': 'k', 'if-match': await tagOf(storage) }
  t.equal(await statusOf(app, 'POST /act/1', headers), 422, 'under the current tag, its key is used up')
})

/** Transactions over memory, which keep replaced and digest. */
function transactionsInMemory (): TransactionAdapter<Offer> {
  const memory = memoryAdapter<Offer>()
  return {
    ...memory,
    async transaction (key, expectation, work, options) {
      const current = await memory.read(key)
      if (!satisfies(expectation, current?.version)) return { applied: false, current }
      const tx: { value?: Offer } = {}
      const locked: Locked<Offer> = { version: current?.version, read: async () => await memory.read(key) }
      const value = await work(tx, locked)
      const result = await memory.write(key, tx.value!, expectation, options)
      return result.applied ? { ...result, value } : result
    }
  }
}

await t.test('resend: the work of a transaction does not run again; `repeated` makes its answer, and without it the request is 412, which says that it was applied', async (t) => {
  let runs = 0
  const { app, storage } = await resendingApp(t, { storage: transactionsInMemory() }, (app, config) => {
    for (const [path, options] of [
      ['told', { repeated: async ({ value: { title } }: { value: Offer }) => `${title} again` }],
      ['untold', undefined]
    ] as const) {
      app.put(`/${path}/:id`, { config }, async (request) =>
        await request.entity<Offer>().transaction((tx: { value?: Offer }) => {
          runs++
          tx.value = request.body as Offer
          return 'done'
        }, options))
    }
  })
  for (const [path, again] of [['told', 200], ['untold', 412]] as const) {
    runs = 0
    const headers = { 'if-match': await seed(storage as StorageAdapter) }
    const first = await send(app, `PUT /${path}/1`, headers, { title: 'mine' })
    t.match(first.json(), { value: 'done', created: false })
    const second = await send(app, `PUT /${path}/1`, headers, { title: 'mine' })
    t.equal(second.statusCode, again)
    t.equal(second.headers.etag, first.headers.etag)
    if (again === 200) t.same(second.json(), { ...first.json(), value: 'mine again' })
    else t.match(second.json().message, /applied before, and what it wrote is what is there/)
    t.equal(runs, 1)
  }
  const created = { 'if-none-match': '*' }
  for (const value of ['done', 'mine again']) {
    t.match((await send(app, 'PUT /told/2', created, { title: 'mine' })).json(), { value, created: true })
  }
})

await t.test('resend: a write of a hook is recognised as well, and a bad key refuses it', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.put('/act/:id', {
      config,
      preHandler: async (request) => { await request.entity().replace(request.body) }
    }, async () => ({}))
  })
  const headers = { 'if-match': await seed(storage) }
  for (let count = 0; count < 2; count++) t.equal(await statusOf(app, 'PUT /act/1', headers, { title: 'mine' }), 200)
  t.equal(await statusOf(app, 'PUT /act/1', { 'if-match': '*', 'idempotency-key': '' }, { title: 'other' }), 400)
  t.same(await valueOf(storage), { title: 'mine' })
})

await t.test('resend: a further entity is not part of it, and a reused key behind a step that was applied does not say that nothing was', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.put('/act/:id', { config }, async (request) => {
      await request.entity('/plans/1').update((count) => (count as number) + 1)
      return (await request.entity().replace(request.body)).value
    })
  })
  await storage.write('/plans/1', 0, { kind: 'any' })
  const headers = { 'if-match': await seed(storage), 'idempotency-key': 'k' }
  for (let count = 1; count < 3; count++) {
    t.equal(await statusOf(app, 'PUT /act/1', headers, { title: 'mine' }), 200)
    t.equal((await storage.read('/plans/1'))?.value, count)
    t.equal((await storage.read('/plans/1'))?.digest, undefined)
  }
})
