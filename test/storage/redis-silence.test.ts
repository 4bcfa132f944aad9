import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { StorageAdapter } from '../../lib/storage/adapter.js'
import { connector } from '../../lib/storage/redis-connection.js'
import { skipWithout } from '../services/programs.js'
import { startProxy } from '../services/proxy.js'
import { startRedisCluster } from '../services/redis-cluster.js'
import { startRedis } from '../services/redis.js'
import { uniqueName } from '../services/service.js'
import { answering, CLUSTER_DRIVERS, DRIVERS, isWrite, openedAdapter, startProxies } from './redis-clients.js'

const ANY = { kind: 'any' } as const
const UNKNOWN = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }

await t.test('redis: a new connection that is accepted and then hears nothing', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  for (const [driver, connect] of Object.entries(DRIVERS)) {
    await t.test(`${driver}: it is given up like one that went silent later, and the next one works (E44)`, async (t) => {
      const proxy = await startProxy(t, url)
      const adapter = await openedAdapter(t, connect(proxy.url), { timeout: 200 })
      const { connections } = proxy
      const { requested } = proxy.halfOpen({ when: () => proxy.connections === connections + 1 })
      await proxy.refuse()
      await proxy.accept()
      await requested
      await answering(adapter)
      t.match(await adapter.write('k', 1, ANY), { applied: true })
    })
  }

  await t.test('a connection that nothing is asked of stays (E44)', async (t) => {
    const timeout = 500
    const idle = await Promise.all(Object.values(DRIVERS).map(async (connect) => {
      const proxy = await startProxy(t, url)
      const adapter = await openedAdapter(t, connect(proxy.url), { timeout })
      return { proxy, adapter, connections: proxy.connections }
    }))
    await delay(2.5 * timeout)
    for (const { proxy, adapter, connections } of idle) {
      t.match(await adapter.write('k', 1, ANY), { applied: true })
      t.equal(proxy.connections, connections)
    }
  })
})

await t.test('redis: a member of a Cluster that hangs', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
  const server = new Redis(url.split(',')[0]!)
  t.teardown(() => server.disconnect())

  // Each master has a third of the slots, in order.
  async function keyOf (member: number, prefix: string): Promise<string> {
    for (let at = 0; ; at++) {
      const slot = Number(await server.call('CLUSTER', 'KEYSLOT', `${prefix}{${at}}`))
      if (Math.floor((slot + 1) * 3 / 16_384) === member) return String(at)
    }
  }

  for (const [driver, connect] of Object.entries(CLUSTER_DRIVERS)) {
    await t.test(`${driver}: the others are reached, also when it is the one that is asked first where they are (E44)`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: 300, prefix })
      const [silent, other] = [await keyOf(0, prefix), await keyOf(1, prefix)]
      t.intercept(Math, 'random', { value: () => 0 })
      proxies[0]!.halfOpen()
      await t.rejects(adapter.write(silent, 1, ANY), UNKNOWN)
      t.match(await written(adapter, other), { applied: true })
      proxies[0]!.pass()
    })

    await t.test(`${driver}: a connection that went half-open is given up after the timeout, and the next one works (E44)`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: 300, prefix })
      const silent = await keyOf(0, prefix)
      proxies[0]!.halfOpen({ when: isWrite })
      await t.rejects(adapter.write(silent, 1, ANY), UNKNOWN)
      await answering(adapter)
      t.equal(await adapter.read(silent), undefined, 'the old connection is still half-open')
    })

    await t.test(`${driver}: with one away, its slots fail long before the timeout, and nothing else does (E45)`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: 10_000, prefix })
      const [away, other] = [await keyOf(0, prefix), await keyOf(1, prefix)]
      await proxies[0]!.refuse()
      // After some time node-redis makes its connections anew, and must reach the others all the same.
      for (let round = 0; round < 8; round++) {
        const start = performance.now()
        await t.rejects(adapter.read(away), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
        t.ok(performance.now() - start < 5000)
        await delay(50)
      }
      t.match(await written(adapter, other), { applied: true })
      // ioredis says of a node that is gone what it says of a lost answer.
      await t.rejects(adapter.write(away, 'ghost', ANY), driver === 'ioredis' ? UNKNOWN : { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /ECONNREFUSED/ } })
      await proxies[0]!.accept()
      await answering(adapter)
      t.equal(await adapter.read(away), undefined)
    })
  }

  await t.test('node-redis: closed while it asks where the slots are, it makes no connections when it hears it', async (t) => {
    const { proxies, detours } = await startProxies(t, url)
    const connection = connector(CLUSTER_DRIVERS['node-redis']!(url, detours), 10_000).connect()
    const asked = proxies.map((proxy) => proxy.hold({ when: (request) => /\bslots\b/i.test(String(request)) }).requested)
    const opening = connection.open()
    await Promise.race(asked)
    connection.close()
    for (const proxy of proxies) proxy.pass()
    await opening.catch(() => {})
    t.equal(proxies.reduce((sum, { connections }) => sum + connections, 0), 1)
  })

  // ioredis asks any other member where the slot is, and that answer would be held back as well.
  await t.test('node-redis: with the connection to one cut, what is asked of another is answered all the same (E41)', async (t) => {
    const { proxies, detours } = await startProxies(t, url)
    const prefix = `${uniqueName()}:`
    const adapter = await openedAdapter(t, CLUSTER_DRIVERS['node-redis']!(url, detours), { timeout: 10_000, prefix })
    const [cut, other] = [await keyOf(0, prefix), await keyOf(1, prefix)]
    for (const key of [cut, other]) await adapter.write(key, 1, ANY)
    const { requested } = proxies[1]!.hold({ when: isWrite })
    const removing = adapter.remove(other, { kind: 'exists' })
    await requested
    proxies[0]!.cutAnswer({ when: isWrite })
    await t.rejects(adapter.remove(cut, { kind: 'exists' }), UNKNOWN)
    t.match(await written(adapter, cut), { applied: true, created: true })
    proxies[1]!.pass()
    t.match(await removing, { applied: true })
  })
})

/** A write that is tried until there is a connection again. */
async function written (adapter: StorageAdapter, key: string): Promise<unknown> {
  for (const until = performance.now() + 10_000; ;) {
    try {
      return await adapter.write(key, 1, ANY)
    } catch (error) {
      if (performance.now() > until) throw error
      await delay(20)
    }
  }
}
