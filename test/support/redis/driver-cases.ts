import type { Test } from 'tap'
import { redisAdapter, type RedisAdapterOptions } from '../../../lib/storage/redis/index.js'
import { ANY, EXISTS } from '../expectations.js'
import { skipWithout, skipWithoutOwn } from '../services/programs.js'
import { startProxy } from '../services/proxy.js'
import { startRedisCluster } from '../services/redis-cluster.js'
import { startRedis } from '../services/redis.js'
import { uniqueName } from '../services/service.js'
import { until } from '../until.js'
import {
  CLUSTER_DRIVERS,
  connectionOf,
  DRIVERS,
  isWrite,
  lookingAt,
  LONG_TIMEOUT,
  openedAdapter,
  soon,
  untilAnswers,
  type Driver
} from './clients.js'
import { countingRuns } from './counting-runs.js'
import { sideBySide } from './side-by-side.js'

const UNAVAILABLE = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
const UNKNOWN = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }

/** An adapter of this driver behind a proxy, and another one on the same entities that is not. */
export async function behindProxy (t: Test, url: string, driver: Driver, options: Partial<RedisAdapterOptions> = {}) {
  const proxy = await startProxy(t, url)
  const prefix = `${uniqueName()}:`
  const adapter = await openedAdapter(t, DRIVERS[driver](proxy.url), { prefix, ...options })
  const other = await openedAdapter(t, DRIVERS.ioredis(url), { prefix })
  return { proxy, prefix, adapter, other }
}

/** The cases that depend on the driver of a connection: each driver has to pass them. */
export async function driverCases (t: Test, driver: Driver): Promise<void> {
  await t.test('redis: between adapter and server', { skip: skipWithout('redis') }, async (t) => {
    const { url } = await startRedis(t)
    const server = lookingAt(t, url)

    await sideBySide(t, {
      [`${driver}: a write whose answer was cut off is sent once, and proven by a read`]: async (t) => {
        const { proxy, prefix, adapter } = await behindProxy(t, url, driver, { timeout: LONG_TIMEOUT })
        const runs = await countingRuns(t, url, 'evalsha', prefix)
        proxy.cutAnswer({ when: isWrite })
        const created = await soon(adapter.write('k', 'mine', ANY))
        t.match(created, { applied: true, created: true })
        // Once a new command is answered, whatever the driver sent again ahead of it has been carried out.
        t.match(await adapter.read('k'), { value: 'mine', version: (created as { version: string }).version })
        t.equal(await runs(), 1)
      },

      [`${driver}: a write of another client after a write whose answer was lost is not destroyed`]: async (t) => {
        const { proxy, adapter, other } = await behindProxy(t, url, driver)
        await other.write('k', 'before', ANY)
        const { answered } = proxy.cutAnswer({ when: isWrite })
        const writing = adapter.write('k', 'mine', EXISTS)
        await answered
        await proxy.refuse()
        const theirs = await other.write('k', 'theirs', ANY)
        await proxy.accept()
        t.match(await writing, { applied: true, created: false }, 'proven by what replaced it')
        await untilAnswers(adapter)
        t.match(await other.read('k'), { value: 'theirs', version: (theirs as { version: string }).version })
      },

      [`${driver}: a removal whose answer was lost cannot be proven, and is OUTCOME_UNKNOWN`]: async (t) => {
        const { proxy, adapter } = await behindProxy(t, url, driver)
        await adapter.write('k', 1, ANY)
        proxy.cutAnswer({ when: isWrite })
        await t.rejects(adapter.remove('k', EXISTS), UNKNOWN)
        await untilAnswers(adapter)
        t.equal(await adapter.read('k'), undefined)
      },

      [`${driver}: the driver keeps nothing for later: a command that is sent while the engine is away is refused at once, and never done`]: async (t) => {
        const proxy = await startProxy(t, url)
        const connection = connectionOf(t, DRIVERS[driver](proxy.url))
        await connection.open()
        await proxy.refuse()
        await until('the connection is gone', () => !connection.isReady)
        const key = uniqueName()
        await t.rejects(connection.send(key, ['SET', key, 'ghost']), {
          message: /^Stream isn't writeable|^The client is offline$/
        })
        await proxy.accept()
        await until('the connection is back', () => connection.isReady)
        await connection.send(key, ['PING'])
        t.equal(await server.exists(key), 0)
      },

      [`${driver}: an outage is not explained by the one before it`]: async (t) => {
        const proxy = await startProxy(t, url)
        const connection = connectionOf(t, DRIVERS[driver](proxy.url))
        await connection.open()
        await proxy.refuse()
        await until('the driver notes the outage', () => connection.trouble !== undefined)
        await proxy.accept()
        await until('the connection is back', () => connection.isReady)
        await t.resolves(until('the error is forgotten', () => connection.trouble === undefined))
      },

      [`${driver}: a connection that went half-open is given up after the timeout, and the next one works`]: async (t) => {
        const { proxy, adapter } = await behindProxy(t, url, driver, { timeout: 1000 })
        proxy.halfOpen({ when: isWrite })
        await t.rejects(soon(adapter.write('k', 'mine', ANY)), UNKNOWN)
        await untilAnswers(adapter)
        t.equal(await adapter.read('k'), undefined, 'the old connection is still half-open')
        proxy.pass()
        await untilAnswers(adapter)
        t.match(await adapter.write('l', 1, ANY), { applied: true })
      },

      [`${driver}: a write whose answer is held back is proven on another connection`]: async (t) => {
        const { proxy, adapter, other } = await behindProxy(t, url, driver, { timeout: 1000 })
        proxy.hold({ when: isWrite })
        t.match(await adapter.write('k', 'mine', ANY), { applied: true, created: true })
        t.match(await other.read('k'), { value: 'mine' })
      },

      [`${driver}: closing ends a connection that is just being made`]: async (t) => {
        const proxy = await startProxy(t, url)
        const adapter = redisAdapter({ client: DRIVERS[driver](proxy.url), timeout: 1000 })
        await adapter.open!()
        const { connections } = proxy
        const { requested } = proxy.halfOpen({ when: isWrite })
        const rejecting = t.rejects(adapter.write('k', 1, ANY))
        await requested
        // The next connection, too, so that it is never ready.
        proxy.halfOpen()
        await until('there is another connection', () => proxy.connections > connections)
        await adapter.close!()
        await rejecting
      },

      [`${driver}: a new connection that is silent from its beginning is given up like one that went silent later`]: async (t) => {
        const proxy = await startProxy(t, url)
        const adapter = await openedAdapter(t, DRIVERS[driver](proxy.url), { timeout: 1000 })
        const { connections } = proxy
        const { requested } = proxy.halfOpen({ when: () => proxy.connections === connections + 1 })
        await proxy.refuse()
        await proxy.accept()
        await requested
        await untilAnswers(adapter)
        t.match(await adapter.write('k', 1, ANY), { applied: true })
      }
    })
  })

  await t.test('redis: a server that was demoted', { skip: skipWithoutOwn('redis') }, async (t) => {
    const { url } = await startRedis(t, { own: true })
    const server = lookingAt(t, url)
    await t.test(`${driver}: a write to a replica is not applied, and the connection is made anew, where the master may be by then`, async (t) => {
      const proxy = await startProxy(t, url)
      const adapter = await openedAdapter(t, DRIVERS[driver](proxy.url))
      const { connections } = proxy
      await server.replicaof('127.0.0.1', '1')
      await t.rejects(adapter.write('k', 1, ANY), { ...UNAVAILABLE, cause: { message: /replica/ } })
      await server.replicaof('NO', 'ONE')
      await untilAnswers(adapter)
      t.ok(proxy.connections > connections)
      t.match(await adapter.write('k', 1, ANY), { applied: true, created: true })
    })
  })

  await t.test(`redis: Cluster, ${driver}: commands to all members right after the opening are answered`, { skip: skipWithout('redis-cluster') }, async (t) => {
    const { url } = await startRedisCluster(t)
    const connection = connectionOf(t, CLUSTER_DRIVERS[driver](url))
    await connection.open()
    const keys = Array.from({ length: 24 }, uniqueName)
    const answers = await Promise.all(keys.map(async (key) => await connection.send(key, ['GET', key])))
    t.strictSame(answers, keys.map(() => null))
  })
}
