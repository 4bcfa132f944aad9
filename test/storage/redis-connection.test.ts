import { Cluster, Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient, createClientPool, createCluster, RESP_TYPES } from 'redis'
import t, { type Test } from 'tap'
import type { ListingAdapter } from '../../lib/storage/adapter.js'
import { redisAdapter, type RedisAdapterOptions, type RedisClient } from '../../lib/storage/redis.js'
import { connector } from '../../lib/storage/redis-connection.js'
import { freePort } from '../services/free-port.js'
import { skipWithout, skipWithoutOwn } from '../services/programs.js'
import { startProxy } from '../services/proxy.js'
import { startRedisCluster } from '../services/redis-cluster.js'
import { startRedis } from '../services/redis.js'
import { uniqueName } from '../services/service.js'
import { certificatesFor } from './etcd-certificates.js'
import { answering, calls, CLUSTER_DRIVERS, DRIVERS, isWrite, openedAdapter, startProxies } from './redis-clients.js'

const ANY = { kind: 'any' } as const
const EXISTS = { kind: 'exists' } as const
const UNAVAILABLE = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
const UNKNOWN = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }

await t.test('redis: a client that is none, or that adds to the keys by itself, is refused with what to do', async (t) => {
  const invalid = { code: 'FST_IF_MATCH_INVALID_OPTIONS' }
  const pool = createClientPool()
  const clients: unknown[] = [undefined, {}, 'redis://127.0.0.1', { duplicate () {} }, { duplicate () {}, sendCommand () {}, isReady: true }, pool]
  for (const client of clients) t.throws(() => redisAdapter({ client: client as RedisClient }), { ...invalid, message: /ioredis/ })
  const keyPrefix = 'app:'
  for (const client of [new Redis({ lazyConnect: true, keyPrefix }), new Cluster([], { lazyConnect: true, redisOptions: { keyPrefix } }), createClient({ keyPrefix }), createCluster({ rootNodes: [], keyPrefix })]) {
    t.throws(() => redisAdapter({ client }), { ...invalid, message: /keyPrefix/ })
  }
})

await t.test('redis: what a Cluster client says of every node, a password for one, counts for the connection of the adapter', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1', requirepass: 'hush' } })
  const server = new Redis(url, { password: 'hush' })
  t.teardown(() => server.disconnect())
  await server.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383)
  while (!String(await server.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await delay(10)
  const clients: Record<string, RedisClient> = {
    ioredis: new Cluster([url], { lazyConnect: true, redisOptions: { password: 'hush' } }),
    'node-redis': createCluster({ rootNodes: [{ url }], defaults: { password: 'hush' } })
  }
  for (const [driver, client] of Object.entries(clients)) {
    const adapter = await openedAdapter(t, client, { prefix: `${driver}:` })
    t.match(await adapter.write('k', 1, ANY), { applied: true }, driver)
  }
})

await t.test('redis: between adapter and server', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  const server = new Redis(url)
  t.teardown(() => server.disconnect())

  await t.test('whatever else the client was made for, answers are read as they are', async (t) => {
    const odd: Record<string, RedisClient> = {
      ioredis: new Redis(url, { lazyConnect: true, stringNumbers: true, enableAutoPipelining: true, enableOfflineQueue: true, maxRetriesPerRequest: null, commandTimeout: 1, protocol: 3 }),
      'node-redis': createClient({ url, RESP: 3, commandsQueueMaxLength: 1, commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String } } })
    }
    for (const [driver, client] of Object.entries(odd)) {
      const adapter = await openedAdapter<ListingAdapter>(t, client, { list: 'collection' })
      const outcomes = await Promise.all(['a/1', 'a/2', 'a/1'].map(async (key) => await adapter.write(key, key, { kind: 'absent' })))
      t.match(outcomes, [{ applied: true, created: true }, { applied: true, created: true }, { applied: false, current: { value: 'a/1' } }], driver)
      t.match(await adapter.list('a/'), { items: [{ key: 'a/1', value: 'a/1' }, { key: 'a/2' }] }, driver)
    }
  })

  async function behindProxy (t: Test, connect: (url: string) => RedisClient, options: Partial<RedisAdapterOptions> = {}) {
    const proxy = await startProxy(t, url)
    const client = connect(proxy.url)
    const prefix = `${driverless(t.name)}:`
    const adapter = await openedAdapter(t, client, { prefix, ...options })
    const other = await openedAdapter(t, DRIVERS.ioredis!(url), { prefix })
    return { proxy, adapter, other }
  }

  for (const [driver, connect] of Object.entries(DRIVERS)) {
    await t.test(`${driver}: a write whose answer was cut off is sent once, and proven by a read (E2, E41)`, async (t) => {
      const { proxy, adapter } = await behindProxy(t, connect)
      const before = await calls([server], 'evalsha')
      proxy.cutAnswer({ when: isWrite })
      const start = performance.now()
      const created = await adapter.write('k', 'mine', ANY)
      t.ok(performance.now() - start < 2500, 'a lost answer is not waited for (E43)')
      t.match(created, { applied: true, created: true })
      t.match(await adapter.read('k'), { value: 'mine', version: (created as { version: string }).version })
      await delay(300)
      t.equal(await calls([server], 'evalsha') - before, 1)
    })

    await t.test(`${driver}: what another client wrote after a write whose answer was lost is not destroyed (E41)`, async (t) => {
      const { proxy, adapter, other } = await behindProxy(t, connect)
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
      const { proxy, adapter } = await behindProxy(t, connect)
      await adapter.write('k', 1, ANY)
      proxy.cutAnswer({ when: isWrite })
      await t.rejects(adapter.remove('k', EXISTS), UNKNOWN)
      await answering(adapter)
      t.equal(await adapter.read('k'), undefined)
    })

    await t.test(`${driver}: with the engine away a write fails at once, and nothing of it appears 3 s after the engine is back (E42)`, async (t) => {
      const { proxy, adapter } = await behindProxy(t, connect)
      await proxy.refuse()
      await t.rejects(adapter.read('k'))
      const start = performance.now()
      for (let at = 0; at < 5; at++) await t.rejects(adapter.write('k', 'ghost', ANY), UNAVAILABLE)
      await t.rejects(adapter.remove('k', EXISTS), { ...UNAVAILABLE, cause: { message: /no connection/ } })
      t.ok(performance.now() - start < 1000)
      await proxy.accept()
      await answering(adapter)
      await delay(3000)
      t.equal(await adapter.read('k'), undefined)
      t.match(await adapter.write('k', 1, ANY), { applied: true })
    })

    await t.test(`${driver}: the driver too keeps nothing for later: what is sent while the engine is away is refused at once, and never done (E42)`, async (t) => {
      const proxy = await startProxy(t, url)
      const connection = connector(connect(proxy.url), 500).connect()
      t.teardown(() => { connection.close() })
      await connection.open()
      await proxy.refuse()
      while (connection.isReady) await delay(10)
      const key = uniqueName()
      await t.rejects(connection.send(key, ['SET', key, 'ghost']), { message: /^Stream isn't writeable|^The client is offline$/ })
      await proxy.accept()
      while (!connection.isReady) await delay(10)
      await connection.send(key, ['PING'])
      t.equal(await server.exists(key), 0)
    })

    await t.test(`${driver}: what the last outage was about is not said of the next one`, async (t) => {
      const proxy = await startProxy(t, url)
      const connection = connector(connect(proxy.url), 500).connect()
      t.teardown(() => { connection.close() })
      await connection.open()
      await proxy.refuse()
      while (connection.trouble === undefined) await delay(10)
      await proxy.accept()
      while (!connection.isReady) await delay(10)
      await delay(10)
      t.equal(connection.trouble, undefined)
    })

    await t.test(`${driver}: a connection that went half-open is given up after the timeout, and the next one works (E44)`, async (t) => {
      const { proxy, adapter } = await behindProxy(t, connect, { timeout: 300 })
      proxy.halfOpen({ when: isWrite })
      const start = performance.now()
      await t.rejects(adapter.write('k', 'mine', ANY), UNKNOWN)
      t.ok(performance.now() - start < 2500)
      await answering(adapter)
      t.equal(await adapter.read('k'), undefined, 'the old connection is still half-open')
      proxy.pass()
      await answering(adapter)
      t.match(await adapter.write('l', 1, ANY), { applied: true })
    })

    await t.test(`${driver}: a write whose answer is held back is proven on another connection (E2, E44)`, async (t) => {
      const { proxy, adapter, other } = await behindProxy(t, connect, { timeout: 300 })
      proxy.hold({ when: isWrite })
      t.match(await adapter.write('k', 'mine', ANY), { applied: true, created: true })
      t.match(await other.read('k'), { value: 'mine' })
    })

    await t.test(`${driver}: closing ends the connection, also one that is just being made, and leaves the client alone`, async (t) => {
      const proxy = await startProxy(t, url)
      const client = connect(proxy.url)
      const adapter = redisAdapter({ client, timeout: 300 })
      await adapter.open!()
      await proxy.refuse()
      await t.rejects(adapter.write('k', 1, ANY))
      await adapter.close!()
      await proxy.accept()
      const { connections } = proxy
      await delay(300)
      t.equal(proxy.connections, connections)
      await adapter.open!()
      proxy.halfOpen({ when: isWrite })
      const writing = adapter.write('k', 1, ANY)
      await delay(310)
      await adapter.close!()
      await t.rejects(writing)
    })
  }
})

await t.test('redis: TLS', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { ca: { cert: ca, certFile }, server } = certificatesFor(t)
  const port = await freePort()
  const tls = { 'tls-port': String(port), 'tls-cert-file': server.certFile, 'tls-key-file': server.keyFile, 'tls-ca-cert-file': certFile, 'tls-auth-clients': 'no' }
  const service = await startRedis(t, { settings: tls })
  const url = `rediss://127.0.0.1:${port}`
  const clients: Record<string, (ca?: string) => RedisClient> = {
    ioredis: (ca) => new Redis(url, { lazyConnect: true, tls: { ca } }),
    'node-redis': (ca) => createClient({ url, socket: { tls: true, ca } })
  }
  for (const [driver, connect] of Object.entries(clients)) {
    await t.test(`${driver}: the TLS of the client is that of the connection; a certificate that nobody vouches for is refused at boot`, async (t) => {
      await t.rejects(redisAdapter({ client: connect(), timeout: 1000 }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /certificate/ })
      const adapter = await openedAdapter(t, connect(ca))
      t.match(await adapter.write('k', 1, ANY), { applied: true, created: true })
      await service.restart()
      await answering(adapter)
      t.match(await adapter.write('k', 2, ANY), { applied: true, created: true })
    })
  }
})

await t.test('redis: between adapter and Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
  for (const [driver, connect] of Object.entries(CLUSTER_DRIVERS)) {
    await t.test(`${driver}: with all members away a write fails and never appears, and the adapter is back by itself (E42, E43)`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const adapter = await openedAdapter(t, connect(url, detours), { timeout: 500 })
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
  }
})

await t.test('redis: a Cluster client of ioredis keeps nothing for later (E42)', async (t) => {
  const connection = connector(new Cluster([], { lazyConnect: true, enableOfflineQueue: true }), 500).connect()
  t.teardown(() => { connection.close() })
  await t.rejects(connection.send('k', ['SET', 'k', 'ghost']), /Cluster isn't ready/)
})

await t.test('redis: a server that was demoted', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t)
  const server = new Redis(url)
  t.teardown(() => server.disconnect())
  for (const [driver, connect] of Object.entries(DRIVERS)) {
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
  }
})

function driverless (title: string): string {
  return title.replaceAll(/\W/g, '')
}

await t.test('redis: ioredis: a database that is not there ends the connection, and what a member of a Cluster said is the reason', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 's3cret' } })
  const { hostname: host, port } = new URL(url)
  const at = { host, port: Number(port) }
  const refused = async (client: RedisClient, message: RegExp) => { await t.rejects(redisAdapter({ client }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }) }
  await refused(new Redis({ ...at, password: 's3cret', db: 99, lazyConnect: true }), /out of range/)
  await refused(new Cluster([at], { lazyConnect: true, redisOptions: { password: 's3cret-not' } }), /password is wrong/)
})
