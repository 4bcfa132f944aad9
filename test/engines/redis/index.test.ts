import { Redis } from 'ioredis'
import t from 'tap'
import type { ListingAdapter } from '../../../lib/storage/adapter.js'
import { redisAdapter, type NodeRedisClient } from '../../../lib/storage/redis/index.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'
import {
  CLUSTER_DRIVERS,
  conformance,
  DRIVERS,
  isWrite,
  openedAdapter,
  PATIENT,
  soon
} from '../../support/redis/clients.js'

await t.test('redis: one server', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)

  for (const [driver, connect] of Object.entries(DRIVERS)) {
    for (const list of [false, 'collection'] as const) {
      await t.test(`redis: conformance, ${driver}, list ${list}`, async (t) => { await conformance(t, url, connect, list) })
    }
  }
})

await t.test('redis: wrong options are refused', async (t) => {
  const client = DRIVERS.ioredis!('redis://127.0.0.1')
  const wrong: object[] = [
    { prefix: 1 },
    { prefix: 'a{b' },
    { prefix: '\ud800' },
    { list: true },
    { list: 'all' },
    { timeout: 0 },
    { timeout: '1' },
    { timeout: Infinity },
    { wait: null },
    { wait: {} },
    { wait: { replicas: 0, timeout: 1 } },
    { wait: { replicas: 1, timeout: 0 } },
    { wait: { replicas: 1, timeout: 1.5 } }
  ]
  for (const options of wrong) {
    t.throws(
      () => redisAdapter({ client, ...options }),
      { code: 'FST_IF_MATCH_INVALID_OPTIONS' },
      JSON.stringify(options)
    )
  }
  const cluster = CLUSTER_DRIVERS.ioredis!('redis://127.0.0.1:1')
  t.throws(() => redisAdapter({ client: cluster, wait: { replicas: 1, timeout: 1 } }), {
    code: 'FST_IF_MATCH_INVALID_OPTIONS',
    message: /Cluster/
  })
})

await t.test('redis: before open and after close everything is an outage', async (t) => {
  const adapter = redisAdapter({ client: DRIVERS.ioredis!('redis://127.0.0.1'), list: 'collection' })
  const calls: Array<() => Promise<unknown>> = [
    () => adapter.read('k'),
    () => adapter.write('k', 1, { kind: 'any' }),
    () => adapter.remove('k', { kind: 'exists' }),
    () => adapter.list('a/')
  ]
  for (const call of calls) {
    await t.rejects(call(), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /before open/ } })
  }
})

await t.test('redis: what Redis alone has', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  const server = new Redis(url)
  t.teardown(() => server.disconnect())

  await t.test('redis: list takes whole collections alone (E47)', async (t) => {
    const adapter = await openedAdapter<ListingAdapter>(t, DRIVERS.ioredis!(url), { list: 'collection' })
    for (const prefix of ['', 'offers', 'offers/a']) await t.rejects(adapter.list(prefix), { name: 'RangeError' })
  })

  await t.test('redis: an entity that was removed while it was listed is left out, and the page after it is found', async (t) => {
    const prefix = `${uniqueName()}:`
    const adapter = await openedAdapter<ListingAdapter>(t, DRIVERS.ioredis!(url), { list: 'collection', prefix })
    for (const key of ['a/1', 'a/2', 'a/3']) await adapter.write(key, key, { kind: 'any' })
    await server.del(`${prefix}{a/}:2`)
    t.match(await adapter.list('a/', { limit: 2 }), { items: [{ key: 'a/1' }], next: 'a/2' })
    t.match(await adapter.list('a/', { after: 'a/2' }), { items: [{ key: 'a/3' }], next: undefined })
  })

  await t.test('redis: somebody else keeps something under a name of the adapter: refused at boot, with what the server says', async (t) => {
    const prefix = `${uniqueName()}:`
    await server.lpush(`${prefix}layout`, 'foreign')
    await t.rejects(openedAdapter(t, DRIVERS.ioredis!(url), { prefix }), {
      code: 'FST_IF_MATCH_INVALID_ADAPTER',
      message: /holds something else/
    })
  })

  await t.test('redis: what somebody else damaged, or put there, is an outage and neither an absence nor overwritten (E46)', async (t) => {
    const prefix = `${uniqueName()}:`
    const adapter = await openedAdapter(t, DRIVERS.ioredis!(url), { prefix })
    await server.set(`${prefix}{foreign}`, 'foreign')
    await adapter.write('damaged', 1, { kind: 'any' })
    await server.hset(`${prefix}{damaged}`, 'value', 'a secret')
    for (const key of ['foreign', 'damaged']) {
      await t.rejects(adapter.read(key), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
      await t.rejects(adapter.write(key, 2, { kind: 'absent' }), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    }
    await t.rejects(adapter.write('foreign', 2, { kind: 'any' }), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    t.equal(await server.get(`${prefix}{foreign}`), 'foreign')
  })

  await t.test('redis: with replicas to wait for and none there, a write is unknown, and reads have a connection of their own (E48)', async (t) => {
    const adapter = await openedAdapter(t, DRIVERS.ioredis!(url), { wait: { replicas: 1, timeout: 20 } })
    await t.rejects(adapter.write('k', 1, { kind: 'any' }), {
      code: 'FST_IF_MATCH_OUTCOME_UNKNOWN',
      cause: { message: /0 of 1 replicas/ }
    })
    t.match(await adapter.read('k'), { value: 1 })
  })

  await t.test('redis: the proof of a write is looked for a second, also where nobody answers any more (E2)', async (t) => {
    const proxy = await startProxy(t, url)
    const adapter = await openedAdapter(t, DRIVERS.ioredis!(proxy.url), { timeout: PATIENT })
    const { answered } = proxy.cutAnswer({ when: isWrite })
    const writing = adapter.write('k', 1, { kind: 'any' })
    await answered
    const { requested } = proxy.hold({ when: (request) => /\bhmget\b/i.test(String(request)) })
    await requested
    await t.rejects(soon(writing), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
  })

  await t.test('redis: a value larger than the server takes is refused (E4)', { skip: skipWithoutOwn('redis') }, async (t) => {
    const { url } = await startRedis(t, { settings: { 'proto-max-bulk-len': '1mb' } })
    const adapter = await openedAdapter(t, DRIVERS.ioredis!(url))
    await t.rejects(adapter.write('k', 'x'.repeat(1024 * 1024), { kind: 'any' }), {
      code: 'FST_IF_MATCH_INVALID_VALUE'
    })
    t.equal(await adapter.read('k'), undefined)
  })

  await t.test('redis: entities that were written with another list are refused at boot', async (t) => {
    const prefix = `${uniqueName()}:`
    await openedAdapter(t, DRIVERS.ioredis!(url), { prefix })
    await t.rejects(openedAdapter(t, DRIVERS.ioredis!(url), { prefix, list: 'collection' }), {
      code: 'FST_IF_MATCH_INVALID_ADAPTER',
      message: /"list" set to false/
    })
  })
})

await t.test('redis: a boot that is refused, and one that comes to no end, leave no connection behind, and can be tried again', async (t) => {
  const opening: Array<() => Promise<unknown>> = [
    async () => await Promise.reject(new Error('nobody there')),
    async () => await new Promise(() => {}),
    async () => {}
  ]
  for (const connect of opening) {
    let [made, ended] = [0, 0]
    const client: NodeRedisClient = {
      isReady: true,
      options: {},
      duplicate () {
        made++
        return client
      },
      connect,
      sendCommand: async () => await Promise.reject(new Error('READONLY no')),
      destroy () { ended++ },
      on () {}
    }
    const adapter = redisAdapter({ client, timeout: 20, wait: { replicas: 1, timeout: 1 } })
    for (let boot = 1; boot <= 2; boot++) {
      await t.rejects(soon(adapter.open!()), { code: 'FST_IF_MATCH_INVALID_ADAPTER' })
      await t.rejects(adapter.read('k'), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
        cause: { message: /before open/ }
      })
      // One that says it is a replica is given up, and made anew, before it is closed.
      t.ok(made >= 2 * boot)
      t.equal(ended, made)
    }
  }
})

await t.test('redis: nobody at the address: refused at boot', async (t) => {
  const adapter = redisAdapter({ client: DRIVERS.ioredis!('redis://127.0.0.1:1') })
  await t.rejects(adapter.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /ECONNREFUSED/ })
})

await t.test('redis: somebody at the address who says nothing: refused at boot, after the timeout', { skip: skipWithout('redis') }, async (t) => {
  const proxy = await startProxy(t, (await startRedis(t)).url)
  proxy.halfOpen()
  const adapter = redisAdapter({ client: DRIVERS['node-redis']!(proxy.url), timeout: 200 })
  await t.rejects(adapter.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /no connection within 200 ms/ })
})
