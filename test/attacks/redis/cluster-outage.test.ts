import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { StorageAdapter } from '../../../lib/storage/adapter.js'
import { ANY, EXISTS } from '../../support/expectations.js'
import {
  CLUSTER_DRIVERS,
  DRIVER_NAMES,
  isWrite,
  lookingAt,
  LONG_TIMEOUT,
  openedAdapter,
  soon,
  startProxies,
  untilAnswers,
  type Driver
} from '../../support/redis/clients.js'
import { sideBySide } from '../../support/redis/side-by-side.js'
import { skipWithout } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { uniqueName } from '../../support/services/service.js'
import { until } from '../../support/until.js'

const UNKNOWN = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }
const UNAVAILABLE = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
// Longer than the longest pause of a driver between two attempts to connect.
const LONGEST_PAUSE = 1200

await t.test('redis: between adapter and Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
  const server = lookingAt(t, url.split(',')[0]!)

  /** An adapter of this driver behind a proxy before each member. */
  async function behindProxies (t: Test, driver: Driver, timeout: number) {
    const { proxies, detours } = await startProxies(t, url)
    const prefix = `${uniqueName()}:`
    const adapter = await openedAdapter(t, CLUSTER_DRIVERS[driver](url, detours), { timeout, prefix })
    // A key in the slots of this member. Each master has a third of the slots, in order.
    const keyOf = async (member: number): Promise<string> => {
      for (let key = 0; ; key++) {
        const slot = Number(await server.call('CLUSTER', 'KEYSLOT', `${prefix}{${key}}`))
        if (Math.floor((slot + 1) * 3 / 16_384) === member) return String(key)
      }
    }
    return { proxies, adapter, keyOf }
  }

  for (const driver of DRIVER_NAMES) {
    await sideBySide(t, {
      [`${driver}: with all members away a write fails and never appears, and the adapter is back by itself`]: async (t) => {
        const { proxies, adapter } = await behindProxies(t, driver, 1000)
        const keys = Array.from({ length: 12 }, (_, index) => `k${index}`)
        await Promise.all(keys.map(async (key) => await adapter.write(key, 'before', ANY)))
        await Promise.all(proxies.map(async (proxy) => { await proxy.refuse() }))
        for (let round = 0; round < 5; round++) {
          await Promise.all(keys.map(async (key) => await t.rejects(adapter.write(key, 'ghost', ANY))))
          await delay(100)
        }
        await Promise.all(proxies.map(async (proxy) => { await proxy.accept() }))
        await untilAnswers(adapter)
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
        await delay(LONGEST_PAUSE)
        t.strictSame(proxies.map((proxy) => proxy.connections), connections, 'once closed it tries no more')
      },

      [`${driver}: a connection that went half-open is given up after the timeout, and the next one works`]: async (t) => {
        const { proxies, adapter, keyOf } = await behindProxies(t, driver, 1000)
        const silent = await keyOf(0)
        proxies[0]!.halfOpen({ when: isWrite })
        await t.rejects(adapter.write(silent, 1, ANY), UNKNOWN)
        await untilAnswers(adapter)
        t.equal(await adapter.read(silent), undefined, 'the old connection is still half-open')
      },

      [`${driver}: with one member away, its slots fail long before the timeout, and nothing else does`]: async (t) => {
        const { proxies, adapter, keyOf } = await behindProxies(t, driver, LONG_TIMEOUT)
        const [away, other] = [await keyOf(0), await keyOf(1)]
        await proxies[0]!.refuse()
        // After some time node-redis makes its connections anew, and must reach the others all the same.
        for (let round = 0; round < 8; round++) {
          await t.rejects(soon(adapter.read(away)), UNAVAILABLE)
          await delay(50)
        }
        t.match(await written(adapter, other), { applied: true })
        await t.rejects(
          soon(adapter.write(away, 'ghost', ANY)),
          // engine-facts#ioredis-cluster-gone-node
          driver === 'ioredis' ? UNKNOWN : { ...UNAVAILABLE, cause: { message: /ECONNREFUSED/ } }
        )
        await proxies[0]!.accept()
        await untilAnswers(adapter)
        t.equal(await adapter.read(away), undefined)
      }
    })

    await t.test(`${driver}: with one member silent the others are reached, also when the silent one is asked first for the slots`, async (t) => {
      const { proxies, adapter, keyOf } = await behindProxies(t, driver, 1000)
      const [silent, other] = [await keyOf(0), await keyOf(1)]
      // Drivers choose by chance which member they ask.
      t.intercept(Math, 'random', { value: () => 0 })
      proxies[0]!.halfOpen()
      await t.rejects(adapter.write(silent, 1, ANY), UNKNOWN)
      t.match(await written(adapter, other), { applied: true })
      proxies[0]!.pass()
    })
  }

  // ioredis asks any other member where the slot is, and that answer would be held back as well.
  await t.test('node-redis: with the connection to one member cut, what is asked of another is answered all the same', async (t) => {
    const { proxies, adapter, keyOf } = await behindProxies(t, 'node-redis', LONG_TIMEOUT)
    const [cut, other] = [await keyOf(0), await keyOf(1)]
    for (const key of [cut, other]) await adapter.write(key, 1, ANY)
    const { requested } = proxies[1]!.hold({ when: isWrite })
    const removing = adapter.remove(other, EXISTS)
    await requested
    proxies[0]!.cutAnswer({ when: isWrite })
    await t.rejects(soon(adapter.remove(cut, EXISTS)), UNKNOWN)
    t.match(await written(adapter, cut), { applied: true, created: true })
    proxies[1]!.pass()
    t.match(await removing, { applied: true })
  })
})

/** A write that is tried until there is a connection again. */
async function written (adapter: StorageAdapter, key: string): Promise<unknown> {
  return await until('a write is answered', async () => {
    try {
      return await adapter.write(key, 1, ANY)
    } catch {
      return undefined
    }
  })
}
