import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster } from 'redis'
import t from 'tap'
import { connector } from '../../../../lib/storage/redis/connect.js'
import type { RedisClient } from '../../../../lib/storage/redis/index.js'
import { CLUSTER_DRIVERS, DRIVERS } from '../../../support/redis/clients.js'

const INVALID = { code: 'FST_IF_MATCH_INVALID_OPTIONS' }

await t.test('redis: the four clients are told apart, and each is asked for a connection of its own kind', async (t) => {
  for (const [isCluster, drivers] of [[false, DRIVERS], [true, CLUSTER_DRIVERS]] as const) {
    for (const [driver, connect] of Object.entries(drivers)) {
      const found = connector(connect('redis://127.0.0.1:1'), 100)
      t.equal(found.isCluster, isCluster, driver)
      const connection = found.connect()
      t.teardown(() => { connection.close() })
      t.notOk(connection.isReady)
    }
  }
})

await t.test('redis: a client of another kind is refused with what to do', async (t) => {
  const clients: unknown[] = [
    undefined,
    {},
    'redis://127.0.0.1',
    { duplicate () {} },
    { duplicate () {}, sendCommand () {}, isReady: true },
    createClientPool()
  ]
  for (const client of clients) {
    t.throws(() => connector(client as RedisClient, 100), { ...INVALID, message: /ioredis/ })
  }
})

await t.test('redis: a client that adds a prefix to the keys is refused with what to do', async (t) => {
  const keyPrefix = 'app:'
  for (const client of [
    new Redis({ lazyConnect: true, keyPrefix }),
    new Cluster([], { lazyConnect: true, redisOptions: { keyPrefix } }),
    createClient({ keyPrefix }),
    createCluster({ rootNodes: [], keyPrefix })
  ]) {
    t.throws(() => connector(client, 100), { ...INVALID, message: /keyPrefix/ })
  }
})
