import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { redisAdapter, type RedisAdapterOptions } from '../../../lib/storage/redis/index.js'
import { connector } from '../../../lib/storage/redis/connect.js'
import { skipWithout, skipWithoutOwn } from '../services/programs.js'
import { startProxy } from '../services/proxy.js'
import { startRedis } from '../services/redis.js'
import { uniqueName } from '../services/service.js'
import { answering, calls, DRIVERS, isWrite, openedAdapter, PATIENT, soon, until } from './clients.js'

const ANY = { kind: 'any' } as const
const EXISTS = { kind: 'exists' } as const
const UNAVAILABLE = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
const UNKNOWN = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }

/** What depends on the driver of a connection to one server: each of them has to pass. */
export async function serverCases (t: Test, driver: string): Promise<void> {
  const connect = DRIVERS[driver]!

  await t.test('redis: between adapter and server', { skip: skipWithout('redis') }, async (t) => {
    const { url } = await startRedis(t)
    const server = new Redis(url)
    t.teardown(() => server.disconnect())

    async function behindProxy (t: Test, options: Partial<RedisAdapterOptions> = {}) {
      const proxy = await startProxy(t, url)
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(proxy.url), { prefix, ...options })
      const other = await openedAdapter(t, DRIVERS.ioredis!(url), { prefix })
      return { proxy, adapter, other }
    }

    await t.test(`${driver}: a write whose answer was cut off is sent once, and proven by a read (E2, E41)`, async (t) => {
      const { proxy, adapter } = await behindProxy(t, { timeout: PATIENT })
      const before = await calls([server], 'evalsha')
      proxy.cutAnswer({ when: isWrite })
      // A lost answer is not waited for (E43).
      const created = await soon(adapter.write('k', 'mine', ANY))
      t.match(created, { applied: true, created: true })
      t.match(await adapter.read('k'), { value: 'mine', version: (created as { version: string }).version })
      await delay(300)
      t.equal(await calls([server], 'evalsha') - before, 1)
    })

    await t.test(`${driver}: what another client wrote after a write whose answer was lost is not destroyed (E41)`, async (t) => {
      const { proxy, adapter, other } = await behindProxy(t)
      await other.write('k', 'before', ANY)
      const { answered } = proxy.cutAnswer({ when: isWrite })
      const writing = adapter.write('k', 'mine', EXISTS)
      await answered
      await proxy.refuse()
      const theirs = await other.write('k', 'theirs', ANY)
      await proxy.accept()
      t.match(await writing, { applied: true, created: false }, 'proven by what replaced it')
      await delay(300)
      t.match(await other.read('k'), { value: 'theirs', version: (theirs as { version: string }).version })
    })

    await t.test(`${driver}: a removal whose answer was lost cannot be proven, and is OUTCOME_UNKNOWN`, async (t) => {
      const { proxy, adapter } = await behindProxy(t)
      await adapter.write('k', 1, ANY)
      proxy.cutAnswer({ when: isWrite })
      await t.rejects(adapter.remove('k', EXISTS), UNKNOWN)
      await answering(adapter)
      t.equal(await adapter.read('k'), undefined)
    })

    await t.test(`${driver}: with the engine away a write fails at once, and nothing of it appears 3 s after the engine is back (E42)`, async (t) => {
      const { proxy, adapter } = await behindProxy(t, { timeout: PATIENT })
      await proxy.refuse()
      await t.rejects(adapter.read('k'))
      for (let at = 0; at < 5; at++) await t.rejects(soon(adapter.write('k', 'ghost', ANY)), UNAVAILABLE)
      await t.rejects(soon(adapter.remove('k', EXISTS)), { ...UNAVAILABLE, cause: { message: /no connection/ } })
      await proxy.accept()
      await answering(adapter)
      await delay(3000)
      t.equal(await adapter.read('k'), undefined)
      t.match(await adapter.write('k', 1, ANY), { applied: true })
    })

    await t.test(`${driver}: the driver too keeps nothing for later: what is sent while the engine is away is refused at once, and never done (E42)`, async (t) => {
      const proxy = await startProxy(t, url)
      const connection = connector(connect(proxy.url), 5000).connect()
      t.teardown(() => { connection.close() })
      await connection.open()
      await proxy.refuse()
      await until(() => !connection.isReady)
      const key = uniqueName()
      await t.rejects(connection.send(key, ['SET', key, 'ghost']), {
        message: /^Stream isn't writeable|^The client is offline$/
      })
      await proxy.accept()
      await until(() => connection.isReady)
      await connection.send(key, ['PING'])
      t.equal(await server.exists(key), 0)
    })

    await t.test(`${driver}: what the last outage was about is not said of the next one`, async (t) => {
      const proxy = await startProxy(t, url)
      const connection = connector(connect(proxy.url), 5000).connect()
      t.teardown(() => { connection.close() })
      await connection.open()
      await proxy.refuse()
      await until(() => connection.trouble !== undefined)
      await proxy.accept()
      await until(() => connection.isReady)
      await t.resolves(until(() => connection.trouble === undefined))
    })

    await t.test(`${driver}: a connection that went half-open is given up after the timeout, and the next one works (E44)`, async (t) => {
      const { proxy, adapter } = await behindProxy(t, { timeout: 1000 })
      proxy.halfOpen({ when: isWrite })
      await t.rejects(soon(adapter.write('k', 'mine', ANY)), UNKNOWN)
      await answering(adapter)
      t.equal(await adapter.read('k'), undefined, 'the old connection is still half-open')
      proxy.pass()
      await answering(adapter)
      t.match(await adapter.write('l', 1, ANY), { applied: true })
    })

    await t.test(`${driver}: a write whose answer is held back is proven on another connection (E2, E44)`, async (t) => {
      const { proxy, adapter, other } = await behindProxy(t, { timeout: 1000 })
      proxy.hold({ when: isWrite })
      t.match(await adapter.write('k', 'mine', ANY), { applied: true, created: true })
      t.match(await other.read('k'), { value: 'mine' })
    })

    await t.test(`${driver}: closing ends the connection, also one that is just being made, and leaves the client alone`, async (t) => {
      const proxy = await startProxy(t, url)
      const client = connect(proxy.url)
      const adapter = redisAdapter({ client, timeout: 1000 })
      await adapter.open!()
      await proxy.refuse()
      await t.rejects(adapter.write('k', 1, ANY))
      await adapter.close!()
      await proxy.accept()
      const { connections } = proxy
      await delay(300)
      t.equal(proxy.connections, connections)
      await adapter.open!()
      const before = proxy.connections
      proxy.halfOpen({ when: isWrite })
      const writing = adapter.write('k', 1, ANY)
      await until(() => proxy.connections > before)
      await adapter.close!()
      await t.rejects(writing)
    })

    await t.test(`${driver}: it is given up like one that went silent later, and the next one works (E44)`, async (t) => {
      const proxy = await startProxy(t, url)
      const adapter = await openedAdapter(t, connect(proxy.url), { timeout: 1000 })
      const { connections } = proxy
      const { requested } = proxy.halfOpen({ when: () => proxy.connections === connections + 1 })
      await proxy.refuse()
      await proxy.accept()
      await requested
      await answering(adapter)
      t.match(await adapter.write('k', 1, ANY), { applied: true })
    })

    await t.test(`${driver}: a connection that nothing is asked of stays (E44)`, async (t) => {
      const timeout = 1000
      const { proxy, adapter } = await behindProxy(t, { timeout })
      const { connections } = proxy
      await delay(2.5 * timeout)
      t.match(await adapter.write('k', 1, ANY), { applied: true })
      t.equal(proxy.connections, connections)
    })
  })

  await t.test('redis: a server that was demoted', { skip: skipWithoutOwn('redis') }, async (t) => {
    const { url } = await startRedis(t, { own: true })
    const server = new Redis(url)
    t.teardown(() => server.disconnect())
    await t.test(`${driver}: a write to a replica is not applied, and the connection is made anew, where the master may be by then (E46)`, async (t) => {
      const proxy = await startProxy(t, url)
      const adapter = await openedAdapter(t, connect(proxy.url))
      const { connections } = proxy
      await server.replicaof('127.0.0.1', '1')
      await t.rejects(adapter.write('k', 1, ANY), { ...UNAVAILABLE, cause: { message: /replica/ } })
      await server.replicaof('NO', 'ONE')
      await answering(adapter)
      t.ok(proxy.connections > connections)
      t.match(await adapter.write('k', 1, ANY), { applied: true, created: true })
    })
  })
}
