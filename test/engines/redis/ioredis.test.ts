import { Cluster, Redis } from 'ioredis'
import { once } from 'node:events'
import t from 'tap'
import { redisAdapter, type RedisClient } from '../../../lib/storage/redis/index.js'
import { connector } from '../../../lib/storage/redis/connect.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'
import { madeOf, PATIENT, soon } from '../../support/redis/clients.js'
import { clusterCases } from '../../support/redis/cluster-cases.js'
import { serverCases } from '../../support/redis/server-cases.js'
import { startServer } from '../../support/redis/stub.js'

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

await t.test('redis: ioredis: whatever the client was made for, the connection asks a master, once, and reads what it says (E41 to E44)', async (t) => {
  const { options } = madeOf(t, new Redis(ODD_IOREDIS))
  t.match(options, { ...SOBER_IOREDIS, enableOfflineQueue: false })
  const { reconnectOnError } = options as { reconnectOnError: (error: Error) => unknown }
  t.strictSame(
    ['READONLY no', 'LOADING no', 'OOM no'].map((message) => reconnectOnError(new Error(message))),
    [true, false, false],
    'and no command is sent again, as with 2'
  )
})

await t.test('redis: ioredis: so do those to the nodes of a Cluster (E41 to E44)', async (t) => {
  const cluster = new Cluster([], {
    lazyConnect: true,
    scaleReads: 'slave',
    enableAutoPipelining: true,
    retryDelayOnFailover: 1,
    retryDelayOnClusterDown: 1,
    redisOptions: ODD_IOREDIS
  })
  const { options } = madeOf(t, cluster)
  t.match(options, {
    lazyConnect: true,
    scaleReads: 'master',
    enableAutoPipelining: false,
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    redisOptions: SOBER_IOREDIS
  })
})

// What a server answers that became a replica after the driver had looked at it.
function demoted (request: string): string {
  const info = 'role:master\r\nloading:0\r\n'
  return [...request.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)].map(([, name]) => {
    if (/info/i.test(name!)) return `$${info.length}\r\n${info}\r\n`
    return /^set$/i.test(name!) ? "-READONLY You can't write against a read only replica.\r\n" : '+OK\r\n'
  }).join('')
}

await t.test('redis: ioredis: a server that was demoted and does not end its connection is not waited for (E46)', async (t) => {
  const { server, port } = await startServer(t, demoted)
  const connection = connector(new Redis(port, '127.0.0.1', { lazyConnect: true }), PATIENT).connect()
  t.teardown(() => { connection.close() })
  await connection.open()
  const again = once(server, 'connection')
  await t.rejects(connection.send('k', ['SET', 'k', '1']), { message: /READONLY/ })
  await t.resolves(soon(again))
})

await t.test('redis: ioredis: a connection that is never there is given up after the timeout, and tried again (E44)', async (t) => {
  const { server, port } = await startServer(t, () => '')
  const connection = connector(new Redis(port, '127.0.0.1', { lazyConnect: true, tls: {} }), 100).connect()
  const opening = connection.open().catch(() => {})
  await once(server, 'connection')
  await t.resolves(soon(once(server, 'connection')))
  connection.close()
  await opening
})

await t.test('redis: a Cluster client of ioredis keeps nothing for later (E42)', async (t) => {
  const connection = connector(new Cluster([], { lazyConnect: true, enableOfflineQueue: true }), 500).connect()
  t.teardown(() => { connection.close() })
  await t.rejects(connection.send('k', ['SET', 'k', 'ghost']), /Cluster isn't ready/)
})

await t.test('redis: ioredis: a database that is not there ends the connection, and what a member of a Cluster said is the reason', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 's3cret' } })
  const { hostname: host, port } = new URL(url)
  const at = { host, port: Number(port) }
  const refused = async (client: RedisClient, message: RegExp) => {
    await t.rejects(redisAdapter({ client }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message })
  }
  await refused(new Redis({ ...at, password: 's3cret', db: 99, lazyConnect: true }), /out of range/)
  await refused(new Cluster([at], { lazyConnect: true, redisOptions: { password: 's3cret-not' } }), /password is wrong/)
})

await serverCases(t, 'ioredis')
await clusterCases(t, 'ioredis')
