import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster, RESP_TYPES } from 'redis'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { ListingAdapter } from '../../../lib/storage/adapter.js'
import { redisAdapter, type RedisClient } from '../../../lib/storage/redis/index.js'
import { connector } from '../../../lib/storage/redis/connect.js'
import { freePort } from '../../support/services/free-port.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { startRedis } from '../../support/services/redis.js'
import { certificatesFor } from '../../support/etcd/certificates.js'
import { answering, CLUSTER_DRIVERS, DRIVERS, openedAdapter } from '../../support/redis/clients.js'

const ANY = { kind: 'any' } as const

await t.test('redis: the four clients are told apart, and each is asked for a connection of its own kind', async (t) => {
  for (const [isCluster, drivers] of [[false, DRIVERS], [true, CLUSTER_DRIVERS]] as const) {
    for (const [driver, connect] of Object.entries(drivers)) {
      const client = connect('redis://127.0.0.1:1')
      const found = connector(client, 100)
      t.equal(found.isCluster, isCluster, driver)
      const connection = found.connect()
      t.teardown(() => { connection.close() })
      t.notOk(connection.isReady)
    }
  }
})

await t.test('redis: a client that is none, or that adds to the keys by itself, is refused with what to do', async (t) => {
  const invalid = { code: 'FST_IF_MATCH_INVALID_OPTIONS' }
  const pool = createClientPool()
  const clients: unknown[] = [
    undefined,
    {},
    'redis://127.0.0.1',
    { duplicate () {} },
    { duplicate () {}, sendCommand () {}, isReady: true },
    pool
  ]
  for (const client of clients) { t.throws(() => redisAdapter({ client: client as RedisClient }), { ...invalid, message: /ioredis/ }) }
  const keyPrefix = 'app:'
  for (const client of [
    new Redis({ lazyConnect: true, keyPrefix }),
    new Cluster([], { lazyConnect: true, redisOptions: { keyPrefix } }),
    createClient({ keyPrefix }),
    createCluster({ rootNodes: [], keyPrefix })
  ]) {
    t.throws(() => redisAdapter({ client }), { ...invalid, message: /keyPrefix/ })
  }
})

await t.test('redis: what a Cluster client says of every node, a password for one, counts for the connection of the adapter', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, {
    settings: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1', requirepass: 'hush' }
  })
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

await t.test('redis: whatever else the client was made for, answers are read as they are', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  const odd: Record<string, RedisClient> = {
    ioredis: new Redis(url, {
      lazyConnect: true,
      stringNumbers: true,
      enableAutoPipelining: true,
      enableOfflineQueue: true,
      maxRetriesPerRequest: null,
      commandTimeout: 1,
      protocol: 3
    }),
    'node-redis': createClient({
      url,
      RESP: 3,
      commandsQueueMaxLength: 1,
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String } }
    })
  }
  for (const [driver, client] of Object.entries(odd)) {
    const adapter = await openedAdapter<ListingAdapter>(t, client, { list: 'collection' })
    const outcomes = await Promise.all(
      ['a/1', 'a/2', 'a/1'].map(async (key) => await adapter.write(key, key, { kind: 'absent' }))
    )
    t.match(
      outcomes,
      [
        { applied: true, created: true },
        { applied: true, created: true },
        { applied: false, current: { value: 'a/1' } }
      ],
      driver
    )
    t.match(await adapter.list('a/'), { items: [{ key: 'a/1', value: 'a/1' }, { key: 'a/2' }] }, driver)
  }
})

await t.test('redis: TLS', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { ca: { cert: ca, certFile }, server } = certificatesFor(t)
  const port = await freePort()
  const tls = {
    'tls-port': String(port),
    'tls-cert-file': server.certFile,
    'tls-key-file': server.keyFile,
    'tls-ca-cert-file': certFile,
    'tls-auth-clients': 'no'
  }
  const service = await startRedis(t, { settings: tls })
  const url = `rediss://127.0.0.1:${port}`
  const clients: Record<string, (ca?: string) => RedisClient> = {
    ioredis: (ca) => new Redis(url, { lazyConnect: true, tls: { ca } }),
    'node-redis': (ca) => createClient({ url, socket: { tls: true, ca } })
  }
  for (const [driver, connect] of Object.entries(clients)) {
    await t.test(`${driver}: the TLS of the client is that of the connection; a certificate that nobody vouches for is refused at boot`, async (t) => {
      await t.rejects(redisAdapter({ client: connect(), timeout: 2000 }).open!(), {
        code: 'FST_IF_MATCH_INVALID_ADAPTER',
        message: /certificate/
      })
      const adapter = await openedAdapter(t, connect(ca))
      t.match(await adapter.write('k', 1, ANY), { applied: true, created: true })
      await service.restart()
      await answering(adapter)
      t.match(await adapter.write('k', 2, ANY), { applied: true, created: true })
    })
  }
})

await t.test('redis: whatever the client was told to do when its server is away, the adapter is back with the server', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  const clients: Record<string, (url: string) => RedisClient> = {
    ioredis: (url) => new Redis(url, { lazyConnect: true, retryStrategy: () => null }),
    'node-redis': (url) => createClient({ url, socket: { reconnectStrategy: false } })
  }
  for (const [driver, connect] of Object.entries(clients)) {
    const proxy = await startProxy(t, url)
    const adapter = await openedAdapter(t, connect(proxy.url))
    await proxy.refuse()
    await t.rejects(adapter.read('k'))
    await proxy.accept()
    await answering(adapter)
    t.equal(await adapter.read('k'), undefined, driver)
  }
})
