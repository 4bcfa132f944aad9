import { Cluster, Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient, createCluster } from 'redis'
import t, { type Test } from 'tap'
import type { NodeRedisClient, RedisClient } from '../../lib/storage/redis.js'
import { connector } from '../../lib/storage/redis-connection.js'

/** The client that the adapter makes of another one. */
function madeOf (t: Test, client: RedisClient): Record<string, unknown> {
  const made: unknown[] = []
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => unknown
  Object.assign(client, { duplicate: (...args: unknown[]) => made[made.push(duplicate(...args)) - 1] })
  const connection = connector(client, 100).connect()
  t.teardown(() => { connection.close() })
  return made[0] as Record<string, unknown>
}

// What has an effect only with replicas, or with what no test can make a server do, is shown by what the driver is told.
const ODD_IOREDIS = {
  lazyConnect: true,
  maxRetriesPerRequest: null,
  reconnectOnError: () => 2 as const,
  commandTimeout: 1,
  readOnly: true,
  monitor: true,
  stringNumbers: true,
  protocol: 3,
  enableAutoPipelining: true,
  enableOfflineQueue: true,
  socketTimeout: 1,
  connectTimeout: 1,
  disconnectTimeout: 5000,
  role: 'slave'
} as const
const SOBER_IOREDIS = {
  maxRetriesPerRequest: 0,
  commandTimeout: undefined,
  readOnly: false,
  monitor: false,
  stringNumbers: false,
  protocol: 2,
  replyMapping: 'legacy',
  enableAutoPipelining: false,
  socketTimeout: 100,
  connectTimeout: 100,
  disconnectTimeout: 100,
  role: 'master'
}
const ODD_NODE_REDIS = { RESP: 3, readonly: true, disableOfflineQueue: false, commandsQueueMaxLength: 1, maintNotifications: 'enabled', pingInterval: 1 } as const
const CACHE = { ttl: 0, maxEntries: 1 }
const SOBER_NODE_REDIS = {
  RESP: 2,
  readonly: false,
  disableOfflineQueue: true,
  commandsQueueMaxLength: undefined,
  clientSideCache: undefined,
  emitInvalidate: undefined,
  maintNotifications: 'disabled',
  pingInterval: 100,
  socket: { connectTimeout: 100, socketTimeout: 200 }
}

await t.test('redis: ioredis: whatever the client was made for, the connection asks a master, once, and reads what it says (E41 to E44)', async (t) => {
  const { options } = madeOf(t, new Redis(ODD_IOREDIS))
  t.match(options, { ...SOBER_IOREDIS, enableOfflineQueue: false })
  const { reconnectOnError } = options as { reconnectOnError: (error: Error) => unknown }
  t.strictSame(['READONLY no', 'LOADING no', 'OOM no'].map((message) => reconnectOnError(new Error(message))), [true, false, false], 'and no command is sent again, as with 2')
})

await t.test('redis: ioredis: so do those to the nodes of a Cluster (E41 to E44)', async (t) => {
  const cluster = new Cluster([], { lazyConnect: true, scaleReads: 'slave', enableAutoPipelining: true, retryDelayOnFailover: 1, retryDelayOnClusterDown: 1, redisOptions: ODD_IOREDIS })
  const { options } = madeOf(t, cluster)
  t.match(options, { lazyConnect: true, scaleReads: 'master', enableAutoPipelining: false, enableOfflineQueue: false, retryDelayOnFailover: 0, retryDelayOnClusterDown: 0, redisOptions: SOBER_IOREDIS })
})

await t.test('redis: node-redis: whatever the client was made for, the connection asks a master, once, and reads what it says (E41 to E44)', async (t) => {
  const { options } = madeOf(t, createClient({ ...ODD_NODE_REDIS, commandOptions: { timeout: 1 }, clientSideCache: CACHE }))
  t.match(options, { ...SOBER_NODE_REDIS, commandOptions: {} })
  t.strictSame((options as { commandOptions: object }).commandOptions, {})
})

await t.test('redis: node-redis: so do those to the nodes of a Cluster (E41 to E44)', async (t) => {
  const { _options } = madeOf(t, createCluster({ rootNodes: [], RESP: 3, useReplicas: true, minimizeConnections: false, commandOptions: { timeout: 1 }, clientSideCache: CACHE, defaults: ODD_NODE_REDIS }))
  t.match(_options, { RESP: 2, useReplicas: false, minimizeConnections: true, clientSideCache: undefined, defaults: SOBER_NODE_REDIS })
  t.strictSame((_options as { commandOptions: object }).commandOptions, {})
})

await t.test('redis: node-redis: of the connections that were given up none goes on, and once closed there is no new one', async (t) => {
  const connects: number[] = []
  const made = (): NodeRedisClient => {
    const id = clients++
    return {
      isReady: false,
      options: {},
      duplicate: made,
      sendCommand: async () => {},
      async connect () {
        connects.push(id)
        throw new Error('nobody there')
      },
      destroy () {},
      on () {}
    }
  }
  let clients = 0
  const connection = connector(made(), 100).connect()
  connection.giveUp()
  connection.giveUp()
  while (connects.filter((id) => id === 3).length < 3) await delay(5)
  t.equal(connects.filter((id) => id === 2).length, 1)
  connection.close()
  connection.giveUp()
  const before = connects.length
  await delay(500)
  t.equal(connects.length, before)
  t.equal(clients, 4)
})
