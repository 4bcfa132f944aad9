import { gunzipSync } from 'node:zlib'
import t from 'tap'
import type { Test } from 'tap'
import fastifyCompress from '@fastify/compress'
import fastifyCors from '@fastify/cors'
import fastifyEtag from '@fastify/etag'
import fastifyRateLimit from '@fastify/rate-limit'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import type { FastifyInstance } from 'fastify'
import { addOfferRoutes, newApp, seed } from '../support/offers-app.js'

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

await inBothOrders(
  '@fastify/etag does not replace our tags, nor does it turn writes into 304',
  async (app) => await app.register(fastifyEtag),
  async (t, app, storage) => {
    const etag = await seed(storage)
    t.equal((await app.inject('/offers/1')).headers.etag, etag)
    t.equal((await app.inject({ url: '/offers/1', headers: { 'if-none-match': etag } })).statusCode, 304)
    t.equal(
      (await app.inject({ method: 'HEAD', url: '/offers/1', headers: { 'if-none-match': etag } })).statusCode,
      304
    )
    const put = await app.inject({
      method: 'PUT',
      url: '/offers/1',
      headers: { 'if-match': etag },
      payload: { title: 'new' }
    })
    t.same([put.statusCode, put.headers.etag], [200, `"${(await storage.read('/offers/1'))?.version}"`])
    const stale = await app.inject({
      method: 'PUT',
      url: '/offers/1',
      headers: { 'if-match': etag },
      payload: { title: 'new' }
    })
    t.same([stale.statusCode, stale.headers.etag], [412, put.headers.etag])
    const absent = await app.inject({
      method: 'PUT',
      url: '/offers/2',
      headers: { 'if-match': etag },
      payload: { title: 'new' }
    })
    t.same([absent.statusCode, absent.headers.etag], [412, undefined], 'not the hash of the error body')
    const removed = await app.inject({
      method: 'DELETE',
      url: '/offers/1',
      headers: { 'if-match': put.headers.etag as string }
    })
    t.same([removed.statusCode, removed.headers.etag], [204, undefined])
  }
)

await inBothOrders(
  '@fastify/compress: gzip and identity have two strong tags (R14c), and either passes in If-Match (R17)',
  async (app) => await app.register(fastifyCompress),
  async (t, app, storage) => {
    const etag = await seed(storage, '1', LONG)
    const gzip = { 'accept-encoding': 'gzip' }
    const zipped = await app.inject({ url: '/offers/1', headers: gzip })
    t.equal(zipped.headers['content-encoding'], 'gzip')
    t.same(JSON.parse(gunzipSync(zipped.rawPayload).toString()), LONG)
    t.equal(zipped.headers.etag, etag.replace(/"$/, ';gzip"'))
    t.equal((await app.inject('/offers/1')).headers.etag, etag)

    const notModified = await app.inject({
      url: '/offers/1',
      headers: { ...gzip, 'if-none-match': zipped.headers.etag as string }
    })
    t.same(
      [
        notModified.statusCode,
        notModified.headers.etag,
        notModified.headers['content-encoding'],
        notModified.headers.vary,
        notModified.body
      ],
      [304, zipped.headers.etag, undefined, 'accept-encoding', '']
    )
    t.equal((await app.inject({ url: '/offers/1', headers: { 'if-none-match': etag } })).statusCode, 304)
    t.equal(
      (await app.inject({ url: '/offers/1', headers: { 'if-none-match': zipped.headers.etag as string } })).statusCode,
      200,
      'the identity is another representation'
    )

    t.equal(
      (
        await app.inject({
          method: 'HEAD',
          url: '/offers/1',
          headers: { ...gzip, 'if-none-match': zipped.headers.etag as string }
        })
      ).statusCode,
      304,
      'HEAD as GET (R52)'
    )

    const put = await app.inject({
      method: 'PUT',
      url: '/offers/1',
      headers: { ...gzip, 'if-match': zipped.headers.etag as string },
      payload: LONG
    })
    t.same([put.statusCode, put.headers.etag], [200, `"${(await storage.read('/offers/1'))?.version}"`])
    const stale = await app.inject({
      method: 'PUT',
      url: '/offers/1',
      headers: { ...gzip, 'if-match': zipped.headers.etag as string },
      payload: LONG
    })
    t.same([stale.statusCode, stale.headers.etag], [412, put.headers.etag])
  }
)

await inBothOrders(
  '@fastify/compress of everything: a 304 has the tag that the client has',
  async (app) => await app.register(fastifyCompress, { threshold: 0 }),
  async (t, app, storage) => {
    const etag = await seed(storage, '1', LONG)
    const response = await app.inject({
      url: '/offers/1',
      headers: { 'accept-encoding': 'gzip', 'if-none-match': etag }
    })
    t.same([response.statusCode, response.headers.etag, response.headers['content-encoding']], [304, etag, undefined])
  }
)

await inBothOrders(
  '@fastify/compress that streams: a 304 releases its stream',
  async (app) => await app.register(fastifyCompress, { syncThreshold: 0 }),
  async (t, app, storage) => {
    await seed(storage, '1', LONG)
    const headers = { 'accept-encoding': 'br' }
    const full = await app.inject({ url: '/offers/1', headers })
    t.match(full.headers.etag, /;br"$/)
    t.equal(
      (await app.inject({ url: '/offers/1', headers: { ...headers, 'if-none-match': full.headers.etag as string } }))
        .statusCode,
      304
    )
  }
)

await t.test('a content-coding that we do not know gets no strong tag at all (R14c)', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  app.addHook('onSend', async (_request, reply) => { reply.header('content-encoding', 'aes128gcm') })
  await app.register(ifMatch, { storage })
  addOfferRoutes(app)
  const etag = await seed(storage)
  const response = await app.inject({ url: '/offers/1' })
  t.same([response.statusCode, response.headers.etag], [200, undefined])
  t.equal(
    (await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': etag }, payload: {} })).statusCode,
    200
  )
})

await inBothOrders(
  '@fastify/cors answers the preflight, which evaluates nothing (R47), and may expose ETag (R72)',
  async (app) =>
    await app.register(fastifyCors, {
      origin: 'https://app.example',
      methods: ['PUT'],
      allowedHeaders: ['If-Match'],
      exposedHeaders: ['ETag']
    }),
  async (t, app, storage) => {
    const etag = await seed(storage)
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/offers/1',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'if-match'
      }
    })
    t.same([preflight.statusCode, preflight.headers['access-control-allow-headers']], [204, 'If-Match'])
    const stale = await app.inject({
      method: 'PUT',
      url: '/offers/1',
      headers: { origin: 'https://app.example', 'if-match': '"x"' },
      payload: {}
    })
    t.same([stale.statusCode, stale.headers['access-control-expose-headers'], stale.headers.etag], [412, 'ETag', etag])
  }
)

await inBothOrders('@fastify/rate-limit refuses first, with 429 (R45)',
  async (app) => await app.register(fastifyRateLimit, { max: 1, timeWindow: 60_000 }),
  async (t, app, storage) => {
    const etag = await seed(storage)
    const put = async () =>
      await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': etag }, payload: { title: 'sent' } })
    t.equal((await put()).statusCode, 200)
    const second = await put()
    t.same([second.statusCode, second.headers.etag], [429, undefined])
  })

await inBothOrders('@fastify/rate-limit in the preHandler refuses first, too',
  async (app) => await app.register(fastifyRateLimit, { max: 1, timeWindow: 60_000, hook: 'preHandler' }),
  async (t, app) => {
    t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })).statusCode, 400)
    t.equal((await app.inject({ method: 'PUT', url: '/offers/1', payload: {} })).statusCode, 429)
  })
