import { gunzipSync } from 'node:zlib'
import t from 'tap'
import type { Test } from 'tap'
import fastifyCompress from '@fastify/compress'
import fastifyCors from '@fastify/cors'
import fastifyEtag from '@fastify/etag'
import fastifyRateLimit from '@fastify/rate-limit'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addOfferRoutes, newApp, seed, send, statusOf, tagOf, valueOf } from '../support/offers-app.js'

const LONG = { title: 'x'.repeat(5000) }

/** Runs the same checks with the other plugin registered before ours and after it. */
async function inBothOrders (
  title: string,
  other: (app: FastifyInstance) => Promise<unknown>,
  check: (t: Test, app: FastifyInstance, storage: StorageAdapter) => Promise<void>
): Promise<void> {
  for (const order of ['before', 'after'] as const) {
    await t.test(`${title}, registered ${order} ours`, async (t) => {
      const app = newApp(t)
      const storage = memoryAdapter()
      if (order === 'before') await other(app)
      await app.register(ifMatch, { storage })
      if (order === 'after') await other(app)
      addOfferRoutes(app)
      await check(t, app, storage)
    })
  }
}

await inBothOrders('@fastify/etag does not replace our tags, nor does it turn writes into 304',
  async (app) => await app.register(fastifyEtag),
  async (t, app, storage) => {
    const etag = await seed(storage)
    const unguarded = newApp(t)
    await unguarded.register(fastifyEtag)
    unguarded.get('/', async () => await valueOf(storage))
    const hash = (await unguarded.inject('/')).headers.etag
    t.equal((await app.inject('/offers/1')).headers.etag, etag)
    t.equal(await statusOf(app, 'GET /offers/1', { 'if-none-match': etag }), 304)
    t.equal(await statusOf(app, 'HEAD /offers/1', { 'if-none-match': etag }), 304)
    for (const method of ['GET', 'HEAD']) {
      const old = await send(app, `${method} /offers/1`, { 'if-none-match': hash })
      t.same([old.statusCode, old.headers.etag], [304, etag], 'a copy from the time before the guard')
    }
    const put = await send(app, 'PUT /offers/1', { 'if-match': etag })
    t.same([put.statusCode, put.headers.etag], [200, await tagOf(storage)])
    const stale = await send(app, 'PUT /offers/1', { 'if-match': etag })
    t.same([stale.statusCode, stale.headers.etag], [412, put.headers.etag])
    const absent = await send(app, 'PUT /offers/2', { 'if-match': etag })
    t.same([absent.statusCode, absent.headers.etag], [412, undefined], 'not the hash of the error body')
    const removed = await send(app, 'DELETE /offers/1', { 'if-match': put.headers.etag })
    t.same([removed.statusCode, removed.headers.etag], [204, undefined])
  })

await inBothOrders('@fastify/compress: gzip and identity have two strong tags, and either passes in If-Match',
  async (app) => await app.register(fastifyCompress),
  async (t, app, storage) => {
    const etag = await seed(storage, '1', LONG)
    const gzip = { 'accept-encoding': 'gzip' }
    const zipped = await send(app, 'GET /offers/1', gzip)
    const zippedTag = zipped.headers.etag
    t.equal(zipped.headers['content-encoding'], 'gzip')
    t.same(JSON.parse(gunzipSync(zipped.rawPayload).toString()), LONG)
    t.equal(zippedTag, etag.replace(/"$/, ';gzip"'))
    t.equal((await app.inject('/offers/1')).headers.etag, etag)

    const { statusCode, body, headers } = await send(app, 'GET /offers/1', { ...gzip, 'if-none-match': zippedTag })
    t.same([statusCode, body], [304, ''])
    t.same([headers.etag, headers['content-encoding'], headers.vary], [zippedTag, undefined, 'accept-encoding'])
    t.equal(await statusOf(app, 'GET /offers/1', { 'if-none-match': etag }), 304)
    const identity = await statusOf(app, 'GET /offers/1', { 'if-none-match': zippedTag })
    t.equal(identity, 200, 'the identity is another representation')
    const head = await statusOf(app, 'HEAD /offers/1', { ...gzip, 'if-none-match': zippedTag })
    t.equal(head, 304, 'HEAD as GET (RFC 9110 9.3.2)')

    const put = await send(app, 'PUT /offers/1', { ...gzip, 'if-match': zippedTag }, LONG)
    t.same([put.statusCode, put.headers.etag], [200, await tagOf(storage)])
    const stale = await send(app, 'PUT /offers/1', { ...gzip, 'if-match': zippedTag }, LONG)
    t.same([stale.statusCode, stale.headers.etag], [412, put.headers.etag])
  })

await inBothOrders('@fastify/compress of everything: a 304 has the tag that the client has',
  async (app) => await app.register(fastifyCompress, { threshold: 0 }),
  async (t, app, storage) => {
    const etag = await seed(storage, '1', LONG)
    const { statusCode, headers } = await send(app, 'GET /offers/1', {
      'accept-encoding': 'gzip',
      'if-none-match': etag
    })
    t.same([statusCode, headers.etag, headers['content-encoding']], [304, etag, undefined])
  })

await inBothOrders('@fastify/compress that streams: a 304 releases its stream',
  async (app) => await app.register(fastifyCompress, { syncThreshold: 0 }),
  async (t, app, storage) => {
    await seed(storage, '1', LONG)
    const brotli = { 'accept-encoding': 'br' }
    const { headers: { etag } } = await send(app, 'GET /offers/1', brotli)
    t.match(etag, /;br"$/)
    t.equal(await statusOf(app, 'GET /offers/1', { ...brotli, 'if-none-match': etag }), 304)
  })

for (const [form, threshold] of [['at once', {}], ['as a stream', { syncThreshold: 0 }]] as const) {
  await inBothOrders(`@fastify/compress ${form} beside variants: each variant in each content-coding has a tag`,
    async (app) => await app.register(fastifyCompress, { threshold: 0, ...threshold }),
    async (t, app, storage) => {
      const variant = ({ headers }: FastifyRequest) => headers.accept === 'text/csv' ? 'csv' : undefined
      app.get('/variants/:id', { config: { ifMatch: { key: '/offers/:id', variant } } }, async (request) =>
        (await request.entity().read()).value)
      const etag = await seed(storage, '1', LONG)
      const tagged = (suffix: string): string => etag.replace(/"$/, `${suffix}"`)
      const csv = { accept: 'text/csv' }
      const gzip = { 'accept-encoding': 'gzip' }
      const both = { ...csv, ...gzip }
      const tags = [[{}, etag], [gzip, tagged(';gzip')], [csv, tagged(';csv')], [both, tagged(';csv;gzip')]] as const
      for (const [asked, tag] of tags) {
        t.equal((await send(app, 'GET /variants/1', asked)).headers.etag, tag)
        const { statusCode, headers } = await send(app, 'GET /variants/1', { ...asked, 'if-none-match': tag })
        t.same([statusCode, headers.etag], [304, tag])
        t.equal(await statusOf(app, 'HEAD /variants/1', { ...asked, 'if-none-match': tag }), 304)
      }
      const copies = `${etag}, ${tagged(';gzip')}`
      t.equal(await statusOf(app, 'GET /variants/1', { ...both, 'if-none-match': copies }), 200, 'copies of the JSON')
      t.equal(await statusOf(app, 'HEAD /variants/1', { ...both, 'if-none-match': copies }), 200)
      t.equal(await statusOf(app, 'GET /variants/1', { ...csv, 'if-none-match': tagged(';csv;gzip') }), 200)
      const held = await send(app, 'GET /variants/1', { ...both, 'if-none-match': tagged(';csv') })
      t.same([held.statusCode, held.headers.etag], [304, tagged(';csv')], 'the tag that the client has')
      t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': tagged(';csv;gzip') }), 200)
    })
}

await t.test('a content-coding that we do not know gets no strong tag at all (RFC 9110 8.8.3.3)', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  app.addHook('onSend', async (_request, reply) => { reply.header('content-encoding', 'aes128gcm') })
  await app.register(ifMatch, { storage })
  addOfferRoutes(app)
  const etag = await seed(storage)
  const response = await send(app, 'GET /offers/1')
  t.same([response.statusCode, response.headers.etag], [200, undefined])
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag }), 200)
})

await inBothOrders('@fastify/cors answers the preflight, which evaluates no precondition, and may expose ETag',
  async (app) => await app.register(fastifyCors, {
    origin: 'https://app.example',
    methods: ['PUT'],
    allowedHeaders: ['If-Match'],
    exposedHeaders: ['ETag']
  }),
  async (t, app, storage) => {
    const origin = 'https://app.example'
    const etag = await seed(storage)
    const preflight = await send(app, 'OPTIONS /offers/1', {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'if-match'
    })
    t.same([preflight.statusCode, preflight.headers['access-control-allow-headers']], [204, 'If-Match'])
    const { statusCode, headers } = await send(app, 'PUT /offers/1', { origin, 'if-match': '"x"' })
    t.same([statusCode, headers['access-control-expose-headers'], headers.etag], [412, 'ETag', etag])
  })

await inBothOrders('@fastify/rate-limit refuses first, with 429 (RFC 9110 13.2.1)',
  async (app) => await app.register(fastifyRateLimit, { max: 1, timeWindow: 60_000 }),
  async (t, app, storage) => {
    const etag = await seed(storage)
    t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag }), 200)
    const second = await send(app, 'PUT /offers/1', { 'if-match': etag })
    t.same([second.statusCode, second.headers.etag], [429, undefined])
  })

await inBothOrders('@fastify/rate-limit in the preHandler refuses first, too',
  async (app) => await app.register(fastifyRateLimit, { max: 1, timeWindow: 60_000, hook: 'preHandler' }),
  async (t, app) => {
    t.equal(await statusOf(app, 'PUT /offers/1'), 400)
    t.equal(await statusOf(app, 'PUT /offers/1'), 429)
  })
