import t from 'tap'
import { redisAdapter, type NodeRedisClient } from '../../../lib/storage/redis/index.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { CLUSTER_DRIVERS, DRIVERS, lookingAt, openedAdapter, soon } from '../../support/redis/clients.js'
import { sideBySide } from '../../support/redis/side-by-side.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'

const INVALID = 'FST_IF_MATCH_INVALID_ADAPTER'
const NOT_OPEN = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /before open/ } }

await t.test('redis: replicas cannot be waited for in a Cluster', async (t) => {
  const client = CLUSTER_DRIVERS.ioredis('redis://127.0.0.1:1')
  t.throws(() => redisAdapter({ client, wait: { replicas: 1, timeout: 1 } }), {
    code: 'FST_IF_MATCH_INVALID_OPTIONS',
    message: /Cluster/
  })
})

await t.test('redis: before open and after close everything is an outage', async (t) => {
  const adapter = redisAdapter({ client: DRIVERS.ioredis('redis://127.0.0.1'), list: 'collection' })
  const calls: Array<() => Promise<unknown>> = [
    () => adapter.read('k'),
    () => adapter.write('k', 1, ANY),
    () => adapter.remove('k', EXISTS),
    () => adapter.list('a/')
  ]
  for (const call of calls) await t.rejects(call(), NOT_OPEN)
})

await t.test('redis: with a server', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  const server = lookingAt(t, url)

  await sideBySide(t, {
    'redis: somebody else keeps something under a name of the adapter: refused at boot, with what the server says': async (t) => {
      const prefix = `${uniqueName()}:`
      await server.lpush(`${prefix}layout`, 'foreign')
      await t.rejects(openedAdapter(t, DRIVERS.ioredis(url), { prefix }), {
        code: INVALID,
        message: /holds something else/
      })
    },

    'redis: entities that were written with another list are refused at boot': async (t) => {
      const prefix = `${uniqueName()}:`
      await openedAdapter(t, DRIVERS.ioredis(url), { prefix })
      await t.rejects(openedAdapter(t, DRIVERS.ioredis(url), { prefix, list: 'collection' }), {
        code: INVALID,
        message: /"list" set to false/
      })
    },

    'redis: writes and removals are applied, or refused with the current entity': async (t) => {
      const adapter = await openedAdapter(t, DRIVERS.ioredis(url))
      const { version } = await adapter.write('k', 1, ABSENT, { digest: 'd' }) as { version: string }
      t.strictSame({ ...await adapter.read('k') }, { value: 1, json: '1', version, replaced: undefined, digest: 'd' })
      const refused = { applied: false, current: { value: 1, version } }
      t.match(await adapter.write('k', 2, ABSENT), refused)
      t.match(await adapter.remove('k', versionIn('other')), refused)
      t.strictSame(await adapter.remove('k', EXISTS), { applied: true })
      t.strictSame(await adapter.remove('k', EXISTS), { applied: false, current: undefined })
    },

    'redis: a write whose answer was lost is proven by a read': async (t) => {
      const proxy = await startProxy(t, url)
      const adapter = await openedAdapter(t, DRIVERS.ioredis(proxy.url))
      proxy.cutAnswer({ when: (request) => /\bevalsha\b/i.test(String(request)) })
      const result = await soon(adapter.write('k', 1, ANY))
      t.match(result, { applied: true, created: true, version: (await adapter.read('k'))!.version })
    },

    'redis: somebody at the address who says nothing: refused at boot, after the timeout': async (t) => {
      const proxy = await startProxy(t, url)
      proxy.halfOpen()
      const adapter = redisAdapter({ client: DRIVERS['node-redis'](proxy.url), timeout: 200 })
      await t.rejects(adapter.open!(), { code: INVALID, message: /no connection within 200 ms/ })
    }
  })

  await t.test('redis: a value larger than the server takes is refused', { skip: skipWithoutOwn('redis') }, async (t) => {
    const { url } = await startRedis(t, { settings: { 'proto-max-bulk-len': '1mb' } })
    const adapter = await openedAdapter(t, DRIVERS.ioredis(url))
    await t.rejects(adapter.write('k', 'x'.repeat(1024 * 1024), ANY), { code: 'FST_IF_MATCH_INVALID_VALUE' })
    t.equal(await adapter.read('k'), undefined)
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
      await t.rejects(soon(adapter.open!()), { code: INVALID })
      await t.rejects(adapter.read('k'), NOT_OPEN)
      // A client that says it is a replica is given up, and made anew, before it is closed.
      t.ok(made >= 2 * boot)
      t.equal(ended, made)
    }
  }
})

await t.test('redis: nobody at the address: refused at boot', async (t) => {
  const adapter = redisAdapter({ client: DRIVERS.ioredis('redis://127.0.0.1:1') })
  await t.rejects(adapter.open!(), { code: INVALID, message: /ECONNREFUSED/ })
})
