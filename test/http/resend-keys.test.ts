import { once } from 'node:events'
import { connect } from 'node:http2'
import t from 'tap'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, listen, seed, send, statusOf, tagOf, valueOf, type Offer } from '../support/offers-app.js'
import { resend, resendingApp } from '../support/resending-app.js'

const CREATES = { 'if-none-match': '*' }
const PRECHECKS = [true, false]
await t.test('resend: under an Idempotency-Key, which tag is named again does not matter: what the key wrote is there, and nothing is applied twice', async (t) => {
  for (const precheck of PRECHECKS) {
    const { app, storage, version } = await resendingApp(t, { precheck })
    const etag = await seed(storage)
    const key = { 'idempotency-key': '"k-1"' }
    const first = await send(app, 'POST /offers/1', { ...key, 'if-match': etag })
    const written = await version()
    for (const ifMatch of [etag, `"${written}"`, `${etag}, "${written}"`]) {
      for (const sent of ['"k-1"', 'k-1']) {
        const again = await send(app, 'POST /offers/1', { 'idempotency-key': sent, 'if-match': ifMatch })
        t.strictSame([again.statusCode, again.body, again.headers.etag], [200, first.body, `"${written}"`], ifMatch)
      }
    }
    t.equal(await version(), written)
    t.equal(await statusOf(app, 'POST /offers/1', { ...key, 'if-match': '"x"' }), 412, 'a tag that it never had')
    const next = await send(app, 'POST /offers/1', { 'idempotency-key': 'k-2', 'if-match': `"${written}"` })
    t.same(next.json(), { title: 'seeded', price: 2 }, 'with a new key it is a new write')
  }
})

await t.test('resend: one key with another content is 422 FST_IF_MATCH_KEY_REUSED, whatever tag it names, and changes nothing', async (t) => {
  for (const precheck of PRECHECKS) {
    const { app, storage, version } = await resendingApp(t, { precheck })
    const key = { 'idempotency-key': 'k-1' }
    const etag = await seed(storage)
    await send(app, 'PUT /offers/1', { ...key, 'if-match': etag }, { title: 'mine' })
    const written = `"${await version()}"`
    const reused = async (tag: string): Promise<void> => {
      const answer = await send(app, 'PUT /offers/1', { ...key, 'if-match': tag }, { title: 'other' })
      t.strictSame([answer.statusCode, answer.json().code], [422, 'FST_IF_MATCH_KEY_REUSED'], tag)
      t.equal(await statusOf(app, 'PUT /offers/1?a=1', { ...key, 'if-match': tag }, { title: 'mine' }), 422)
    }
    for (const tag of [etag, written, '"x"']) await reused(tag)
    t.same(await valueOf(storage), { title: 'mine' })
    // With precheck false, a write without a key does not know what the digest of the last one remembers.
    await send(app, 'PUT /offers/1', { 'if-match': written, 'idempotency-key': 'k-2' }, { title: 'third' })
    for (const tag of [etag, (await tagOf(storage))!]) await reused(tag)
    t.same(await valueOf(storage), { title: 'third' })
  }
})

await t.test('resend: a key whose write was applied, and whose entity was changed since, writes nothing more: 412 under the old tag, 422 under the current one', async (t) => {
  const { app, storage } = await resendingApp(t)
  const etag = await seed(storage)
  const key = { 'idempotency-key': 'k-1' }
  await send(app, 'POST /offers/1', { ...key, 'if-match': etag })
  const made = await tagOf(storage)
  await send(app, 'POST /offers/1', { 'if-match': made, 'x-user': 'bea' })
  for (const tag of [etag, made]) {
    const old = await send(app, 'POST /offers/1', { ...key, 'if-match': tag })
    t.equal(old.statusCode, 412)
    t.match(old.json().message, /applied before, and the entity was changed since/)
  }
  const current = await send(app, 'POST /offers/1', { ...key, 'if-match': await tagOf(storage) })
  t.strictSame([current.statusCode, current.json().code], [422, 'FST_IF_MATCH_KEY_REUSED'])
  t.match(current.json().message, /belongs to a write that was applied/)
  t.match(await valueOf(storage), { price: 2 })
})

await t.test('resend: the keys of two callers, two methods, and of a change and a creation are different ones', async (t) => {
  const { app, storage } = await resendingApp(t)
  const key = { 'idempotency-key': 'k-1' }
  t.equal(await statusOf(app, 'PUT /offers/1', { ...key, ...CREATES }, { title: 'mine' }), 201)
  t.equal(await statusOf(app, 'PUT /offers/1', { ...key, ...CREATES }, { title: 'mine' }), 201)
  t.equal(await statusOf(app, 'PUT /offers/1', { ...key, ...CREATES }, { title: 'other' }), 422)
  t.equal(await statusOf(app, 'PUT /offers/1', { ...key, ...CREATES, 'x-user': 'bea' }, { title: 'mine' }), 412)
  t.equal(await statusOf(app, 'PUT /offers/1', { ...key, 'if-match': await tagOf(storage) }, { title: 'next' }), 200)
  t.equal(await statusOf(app, 'PATCH /offers/1', { ...key, 'if-match': await tagOf(storage) }, { price: 1 }), 200)
})

await t.test('resend: a key that is empty, too long or repeated is 400 FST_IF_MATCH_IDEMPOTENCY_KEY, under * as well, and ahead of 412; other routes and reads ignore it', async (t) => {
  const { app, storage } = await resendingApp(t, { missing: 'allow' }, (app) => {
    app.put('/plain/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) =>
      (await request.entity().replace(request.body)).value)
  })
  const etag = await seed(storage)
  for (const key of ['', '""', 'k'.repeat(256), '"a", "b"', 'a, b', '"a']) {
    for (const headers of [{ 'if-match': etag }, { 'if-match': '"x"' }, { 'if-match': '*' }, CREATES, {}]) {
      const answer = await send(app, 'PUT /offers/1', { ...headers, 'idempotency-key': key })
      t.strictSame([answer.statusCode, answer.json().code], [400, 'FST_IF_MATCH_IDEMPOTENCY_KEY'], key)
    }
    t.equal(await statusOf(app, 'PUT /offers/2', { 'idempotency-key': key, 'if-match': '"x"' }), 400)
    t.equal(await statusOf(app, 'GET /offers/1', { 'idempotency-key': key }), 200)
  }
  t.same(await valueOf(storage), { title: 'seeded' })
  t.equal(await statusOf(app, 'PUT /plain/1', { 'idempotency-key': '', 'if-match': etag }), 200)
})

await t.test('resend: two lines of Idempotency-Key are 400 over HTTP/2 as well', async (t) => {
  const storage = memoryAdapter()
  const app = Fastify({ http2: true })
  t.teardown(async () => { await app.close() })
  await app.register(ifMatch, { storage, resend })
  addOfferRoutes(app as unknown as FastifyInstance)
  const session = connect(`http://127.0.0.1:${await listen(app as unknown as FastifyInstance)}`)
  t.teardown(() => { session.close() })
  const request = session.request({
    ':method': 'PUT',
    ':path': '/offers/1',
    'if-none-match': '*',
    'content-type': 'application/json',
    'idempotency-key': ['a', 'b']
  })
  request.end('{}')
  const [headers] = await once(request, 'response') as [{ ':status': number }]
  t.equal(headers[':status'], 400)
  request.resume()
  await once(request, 'close')
})

await t.test('resend: a key that the schema of the headers removes counts all the same', async (t) => {
  const { app, storage } = await resendingApp(t, {}, (app, config) => {
    const headers = Type.Object({ 'if-match': Type.String() }, { additionalProperties: false })
    app.post('/act/:id', { config, schema: { headers } }, async (request) =>
      (await request.entity<Offer>().update((offer) => ({ ...offer, price: (offer.price ?? 0) + 1 }))).value)
  })
  const headers = { 'idempotency-key': 'k', 'if-match': await seed(storage) }
  t.equal(await statusOf(app, 'POST /act/1', headers), 200)
  t.equal(await statusOf(app, 'POST /act/1', { ...headers, 'if-match': await tagOf(storage) }), 200)
  t.match(await valueOf(storage), { price: 1 })
})

await t.test('resend: with precheck false, a key costs one read behind the checks of the handler, and a write without one none', async (t) => {
  const { app, storage, calls } = await resendingApp(t, { precheck: false })
  for (const [key, expected] of [[{}, ['write']], [{ 'idempotency-key': 'k' }, ['read', 'write']]] as const) {
    const headers = { ...key, 'if-match': await seed(storage) }
    calls.length = 0
    t.equal(await statusOf(app, 'PUT /offers/1', headers), 200)
    t.strictSame(calls, expected)
  }
  const { app: early, storage: other, calls: made } = await resendingApp(t)
  const headers = { 'idempotency-key': 'k', 'if-match': await seed(other) }
  made.length = 0
  t.equal(await statusOf(early, 'PUT /offers/1', headers), 200)
  t.strictSame(made, ['read', 'write'], 'with precheck, its read will do')
})
