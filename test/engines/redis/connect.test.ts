import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster, RESP_TYPES } from 'redis'
import t from 'tap'
import type { ListingAdapter } from '../../../lib/storage/adapter.js'
import { redisAdapter, type RedisClient } from '../../../lib/storage/redis/index.js'
import { certificatesFor } from '../../support/certificates.js'
import { ABSENT, ANY } from '../../support/expectations.js'
import { lookingAt, openedAdapter, untilAnswers } from '../../support/redis/clients.js'
import { sideBySide } from '../../support/redis/side-by-side.js'
import { freePort } from '../../support/services/free-port.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'
import { until } from '../../support/until.js'

await t.test('redis: the options of the client of the caller', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)

  await t.test('redis: whatever the options of the client are, answers are read as they are', async (t) => {
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
        ['a/1', 'a/2', 'a/1'].map(async (key) => await adapter.write(key, key, ABSENT))
      )
      const created = { applied: true, created: true }
      t.match(outcomes, [created, created, { applied: false, current: { value: 'a/1' } }], driver)
      t.match(await adapter.list('a/'), { items: [{ key: 'a/1', value: 'a/1' }, { key: 'a/2' }] }, driver)
    }
  })

  await t.test('redis: whatever the client was told to do when its server is away, the adapter is back with the server', async (t) => {
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
      await untilAnswers(adapter)
      t.equal(await adapter.read('k'), undefined, driver)
    }
  })
})

await t.test('redis: the settings of the connection', { skip: skipWithoutOwn('redis') }, async (t) => {
  await sideBySide(t, {
    'redis: the settings that a Cluster client has for every node, such as a password, count for the connection of the adapter': async (t) => {
      const { url } = await startRedis(t, {
        settings: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1', requirepass: 'hush' }
      })
      const server = lookingAt(t, url, { password: 'hush' })
      await server.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383)
      await until('the Cluster serves its slots', async () =>
        String(await server.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
      )
      const clients: Record<string, RedisClient> = {
        ioredis: new Cluster([url], { lazyConnect: true, redisOptions: { password: 'hush' } }),
        'node-redis': createCluster({ rootNodes: [{ url }], defaults: { password: 'hush' } })
      }
      for (const [driver, client] of Object.entries(clients)) {
        const adapter = await openedAdapter(t, client, { prefix: `${driver}:` })
        t.match(await adapter.write('k', 1, ANY), { applied: true }, driver)
      }
    },

    'redis: the TLS of the client is that of the connection, and a certificate that nobody vouches for is refused at boot': async (t) => {
      const { ca: { cert: ca, certFile }, server } = certificatesFor(t)
      const port = await freePort()
      const settings = {
        'tls-port': String(port),
        'tls-cert-file': server.certFile,
        'tls-key-file': server.keyFile,
        'tls-ca-cert-file': certFile,
        'tls-auth-clients': 'no'
      }
      const service = await startRedis(t, { settings })
      const url = `rediss://127.0.0.1:${port}`
      const clients: Record<string, (ca?: string) => RedisClient> = {
        ioredis: (ca) => new Redis(url, { lazyConnect: true, tls: { ca } }),
        'node-redis': (ca) => createClient({ url, socket: { tls: true, ca } })
      }
      await Promise.all(Object.entries(clients).map(async ([driver, connect]) => {
        await t.rejects(redisAdapter({ client: connect(), timeout: 1000 }).open!(), {
          code: 'FST_IF_MATCH_INVALID_ADAPTER',
          message: /certificate/
        }, `${driver}: a certificate that nobody vouches for is refused at boot`)
      }))
      for (const [driver, connect] of Object.entries(clients)) {
        const adapter = await openedAdapter(t, connect(ca), { prefix: `${uniqueName()}:` })
        t.match(
          await adapter.write('k', 1, ANY),
          { applied: true, created: true },
          `${driver}: the TLS of the client is that of the connection`
        )
        await service.restart()
        await untilAnswers(adapter)
        t.match(await adapter.write('k', 2, ANY), { applied: true, created: true })
      }
    }
  })
})
