import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { StorageAdapter } from '../../../lib/storage/adapter.js'
import { skipWithout } from '../services/programs.js'
import { startRedisCluster } from '../services/redis-cluster.js'
import { uniqueName } from '../services/service.js'
import { answering, CLUSTER_DRIVERS, isWrite, openedAdapter, PATIENT, soon, startProxies } from './clients.js'

const ANY = { kind: 'any' } as const
const UNKNOWN = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }

/** What depends on the driver of the connections to a Cluster: each of them has to pass. */
export async function clusterCases (t: Test, driver: string): Promise<void> {
  const connect = CLUSTER_DRIVERS[driver]!

  await t.test('redis: between adapter and Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
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

    await t.test(`${driver}: with all members away a write fails and never appears, and the adapter is back by itself (E42, E43)`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: 1000 })
      const keys = Array.from({ length: 12 }, (_, at) => `k${at}`)
      await Promise.all(keys.map(async (key) => await adapter.write(key, 'before', ANY)))
      await Promise.all(proxies.map(async (proxy) => { await proxy.refuse() }))
      for (let round = 0; round < 5; round++) {
        await Promise.all(keys.map(async (key) => await t.rejects(adapter.write(key, 'ghost', ANY))))
        await delay(100)
      }
      await Promise.all(proxies.map(async (proxy) => { await proxy.accept() }))
      await answering(adapter)
      await delay(500)
      for (const key of keys) t.match(await adapter.read(key), { value: 'before' })
      await Promise.all(proxies.map(async (proxy) => { await proxy.refuse() }))
      for (let round = 0; round < 8; round++) {
        await Promise.all(keys.map(async (key) => await t.rejects(adapter.read(key))))
        await delay(100)
      }
      await adapter.close!()
      await Promise.all(proxies.map(async (proxy) => { await proxy.accept() }))
      const connections = proxies.map((proxy) => proxy.connections)
      await delay(1200)
      t.strictSame(proxies.map((proxy) => proxy.connections), connections, 'once closed it tries no more')
    })

    await t.test(`${driver}: the others are reached, also when it is the one that is asked first where they are (E44)`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: 1000, prefix })
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
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: 1000, prefix })
      const silent = await keyOf(0, prefix)
      proxies[0]!.halfOpen({ when: isWrite })
      await t.rejects(adapter.write(silent, 1, ANY), UNKNOWN)
      await answering(adapter)
      t.equal(await adapter.read(silent), undefined, 'the old connection is still half-open')
    })

    await t.test(`${driver}: with one away, its slots fail long before the timeout, and nothing else does (E45)`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: PATIENT, prefix })
      const [away, other] = [await keyOf(0, prefix), await keyOf(1, prefix)]
      await proxies[0]!.refuse()
      // After some time node-redis makes its connections anew, and must reach the others all the same.
      for (let round = 0; round < 8; round++) {
        await t.rejects(soon(adapter.read(away)), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
        await delay(50)
      }
      t.match(await written(adapter, other), { applied: true })
      // ioredis says of a node that is gone what it says of a lost answer.
      await t.rejects(
        soon(adapter.write(away, 'ghost', ANY)),
        driver === 'ioredis'
          ? UNKNOWN
          : { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /ECONNREFUSED/ } }
      )
      await proxies[0]!.accept()
      await answering(adapter)
      t.equal(await adapter.read(away), undefined)
    })

    if (driver !== 'node-redis') return
    // ioredis asks any other member where the slot is, and that answer would be held back as well.
    await t.test('node-redis: with the connection to one cut, what is asked of another is answered all the same (E41)', async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: PATIENT, prefix })
      const [cut, other] = [await keyOf(0, prefix), await keyOf(1, prefix)]
      for (const key of [cut, other]) await adapter.write(key, 1, ANY)
      const { requested } = proxies[1]!.hold({ when: isWrite })
      const removing = adapter.remove(other, { kind: 'exists' })
      await requested
      proxies[0]!.cutAnswer({ when: isWrite })
      await t.rejects(soon(adapter.remove(cut, { kind: 'exists' })), UNKNOWN)
      t.match(await written(adapter, cut), { applied: true, created: true })
      proxies[1]!.pass()
      t.match(await removing, { applied: true })
    })
  })
}

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
