import t from 'tap'
import ifMatch, { type Locked, type StorageAdapter, type TransactionAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { satisfies } from '../../lib/storage/kit/expectation.js'
import { newApp, seed, send, statusOf, tagOf, valueOf, type Offer } from '../support/offers-app.js'
import type { Tx } from '../support/orders-app.js'
import { transactionsOverLogs, type Log } from '../support/resend/storages.js'
import { resend, resendingApp } from '../support/resending-app.js'

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
    t.equal(log.isRepeated, false, 'what was rolled back is no repetition')
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

await t.test('resend: the second write under a key looks for no earlier try', async (t) => {
  const { app, storage, calls } = await resendingApp(t, { precheck: false }, (app, config) => {
    app.put('/act/:id', { config }, async (request) => {
      await request.entity().replace({ title: 'first' })
      return (await request.entity().replace({ title: 'second' })).value
    })
  })
  const headers = { 'idempotency-key': 'k', 'if-match': await seed(storage) }
  calls.length = 0
  t.equal(await statusOf(app, 'PUT /act/1', headers), 200)
  t.strictSame(calls, ['read', 'write', 'write'])
})

await t.test('resend: a later write of a request that somebody else came between is told as such, and not as sent again', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    app.post('/act/:id', { config }, async (request) => {
      const { etag } = await request.entity<Offer>().replace({ title: 'first' })
      t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag, 'x-user': 'bea' }, { title: 'theirs' }), 200)
      return (await request.entity<Offer>().replace({ title: 'second' })).value
    })
  })
  const answer = await send(app, 'POST /act/1', { 'if-match': await seed(storage) })
  t.equal(answer.statusCode, 412)
  t.match(answer.json().message, /changed by another request meanwhile.*An earlier step of this request was applied/)
})

await t.test('resend: a handler that removes where it wrote before is told of the earlier try, or of a key that was used', async (t) => {
  const { app, storage } = await resendingApp(t, { precheck: false }, (app, config) => {
    app.post<{ Querystring: object }>('/act/:id', { config }, async (request) => {
      if ((request.body as { removes?: boolean }).removes) await request.entity().remove()
      else if ((await request.entity<Offer>().read()).value.title === 'mine') await request.entity().remove()
      else await request.entity<Offer>().replace({ title: 'mine' })
      return {}
    })
  })
  const headers = { 'if-match': await seed(storage), 'idempotency-key': 'k' }
  t.equal(await statusOf(app, 'POST /act/1', headers), 200)
  const again = await send(app, 'POST /act/1', headers)
  t.equal(again.statusCode, 412)
  t.match(again.json().message, /applied before, and what it wrote is what is there/)
  t.equal(await statusOf(app, 'POST /act/1', headers, { removes: true }), 422)
  t.same(await valueOf(storage), { title: 'mine' })
})

await t.test('resend: under one key nothing is removed that it wrote, also where the current tag is named', async (t) => {
  for (const precheck of [true, false]) {
    const { app, storage } = await resendingApp(t, { precheck }, (app, config) => {
      app.post('/toggle/:id', { config }, async (request) => {
        const offer = request.entity<Offer>()
        if ((await offer.read()).value.title === 'on') await offer.remove()
        else await offer.replace({ title: 'on' })
        return {}
      })
    })
    const key = { 'idempotency-key': 'k' }
    t.equal(await statusOf(app, 'POST /toggle/1', { ...key, 'if-match': await seed(storage) }), 200)
    const tag = await tagOf(storage)
    const again = await send(app, 'POST /toggle/1', { ...key, 'if-match': tag })
    t.strictSame([again.statusCode, again.json().code], [422, 'FST_IF_MATCH_KEY_REUSED'])
    t.match(again.json().message, /belongs to a write that was applied, so nothing was changed/)
    t.equal(await tagOf(storage), tag)
    t.equal(await statusOf(app, 'POST /toggle/1', { 'idempotency-key': 'k-2', 'if-match': tag }), 200)
    t.equal(await tagOf(storage), undefined, 'a new key removes')
  }
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
    const keyed = { 'if-match': first.headers.etag, 'idempotency-key': path }
    t.match((await send(app, `PUT /${path}/1`, keyed, { title: 'new' })).json(), { value: 'done' }, 'a key that is new')
    t.equal(runs, 2)
  }
  const created = { 'if-none-match': '*' }
  for (const value of ['done', 'mine again']) {
    t.match((await send(app, 'PUT /told/2', created, { title: 'mine' })).json(), { value, created: true })
  }
})

await t.test('resend: without `repeated`, the work of a transaction does not run again under its key and the current tag', async (t) => {
  for (const precheck of [true, false]) {
    const { app, storage } = await resendingApp(t, { storage: transactionsInMemory(), precheck }, (app, config) => {
      app.put('/untold/:id', { config }, async (request) =>
        await request.entity<Offer>().transaction((tx: { value?: Offer }) => {
          tx.value = request.body as Offer
          return 'done'
        }))
    })
    const key = { 'idempotency-key': 'k' }
    const etag = await seed(storage as StorageAdapter)
    const first = await send(app, 'PUT /untold/1', { ...key, 'if-match': etag }, { title: 'mine' })
    for (const [tag, status] of [[etag, 412], [first.headers.etag, 422]] as const) {
      t.equal(await statusOf(app, 'PUT /untold/1', { ...key, 'if-match': tag }, { title: 'mine' }), status)
      t.equal(await statusOf(app, 'PUT /untold/1', { ...key, 'if-match': tag }, { title: 'other' }), 422)
    }
    t.equal(await tagOf(storage as StorageAdapter), first.headers.etag)
  }
})

await t.test('resend: a write inside of `repeated` to its own entity is FST_IF_MATCH_NESTED_WRITE, and waits for nothing', async (t) => {
  const { app, storage } = await resendingApp(t, { storage: transactionsInMemory() }, (app, config) => {
    app.put('/told/:id', { config }, async (request) => {
      const offer = request.entity<Offer>()
      return await offer.transaction((tx: { value?: Offer }) => {
        tx.value = request.body as Offer
        return tx.value
      }, { repeated: async () => (await offer.update((offer) => offer)).value })
    })
  })
  const headers = { 'if-match': await seed(storage as StorageAdapter) }
  t.equal(await statusOf(app, 'PUT /told/1', headers, { title: 'mine' }), 200)
  const again = await send(app, 'PUT /told/1', headers, { title: 'mine' })
  t.strictSame([again.statusCode, again.json().code], [500, 'FST_IF_MATCH_NESTED_WRITE'])
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
  const { app, storage } = await resendingApp(t, { precheck: false }, (app, config) => {
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
  const { statusCode, message } = (await send(app, 'PUT /act/1', headers, { title: 'other' })).json()
  t.equal(statusCode, 422)
  t.notMatch(message, /nothing was/)
  t.match(message, /belongs to another write, and this step was refused. An earlier step of this request was applied/)
})
