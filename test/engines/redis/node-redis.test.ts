import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient, createCluster } from 'redis'
import t, { type Test } from 'tap'
import type { NodeRedisClient } from '../../../lib/storage/redis/index.js'
import { connector } from '../../../lib/storage/redis/connect.js'
import { skipWithout } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { CLUSTER_DRIVERS, madeOf, PATIENT, soon, startProxies, until } from '../../support/redis/clients.js'
import { clusterCases } from '../../support/redis/cluster-cases.js'
import { serverCases } from '../../support/redis/server-cases.js'
import { startServer } from '../../support/redis/stub.js'

const ODD_NODE_REDIS = {
  RESP: 3,
  readonly: true,
  disableOfflineQueue: false,
  commandsQueueMaxLength: 1,
  maintNotifications: 'enabled',
  pingInterval: 1
} as const
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

await t.test('redis: node-redis: whatever the client was made for, the connection asks a master, once, and reads what it says (E41 to E44)', async (t) => {
  const { options } = madeOf(
    t,
    createClient({ ...ODD_NODE_REDIS, commandOptions: { timeout: 1 }, clientSideCache: CACHE })
  )
  t.match(options, { ...SOBER_NODE_REDIS, commandOptions: {} })
  t.strictSame((options as { commandOptions: object }).commandOptions, {})
})

await t.test('redis: node-redis: so do those to the nodes of a Cluster (E41 to E44)', async (t) => {
  const { _options } = madeOf(
    t,
    createCluster({
      rootNodes: [],
      RESP: 3,
      useReplicas: true,
      minimizeConnections: false,
      commandOptions: { timeout: 1 },
      clientSideCache: CACHE,
      defaults: ODD_NODE_REDIS
    })
  )
  t.match(_options, {
    RESP: 2,
    useReplicas: false,
    minimizeConnections: true,
    clientSideCache: undefined,
    defaults: SOBER_NODE_REDIS
  })
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
  await until(() => connects.filter((id) => id === 3).length >= 3)
  t.equal(connects.filter((id) => id === 2).length, 1)
  connection.close()
  connection.giveUp()
  const before = connects.length
  await delay(500)
  t.equal(connects.length, before)
  t.equal(clients, 4)
})

/** A Redis that says OK to everything, and that it has all slots. */
async function startYes (t: Test): Promise<{ url: string, sockets: ReadonlySet<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => { sockets.delete(socket) })
    socket.on('data', (requests) => {
      for (const request of String(requests).split(/^(?=\*\d+\r$)/m)) { socket.write(/\bslots\b/i.test(request) ? slots : '+OK\r\n') }
    })
  }).listen(0, '127.0.0.1')
  t.teardown(() => { server.close() })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const slots = `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$1\r\nx\r\n`
  return { url: `redis://127.0.0.1:${port}`, sockets }
}

for (const end of ['close', 'giveUp'] as const) {
  await t.test(`redis: node-redis: a connection that ${end}() finds in the making does not stay`, async (t) => {
    const { url, sockets } = await startYes(t)
    const connection = connector(createClient({ url }), PATIENT).connect()
    t.teardown(() => { connection.close() })
    const opening = connection.open().catch(() => {})
    connection[end]()
    await soon(opening)
    const left = end === 'close' ? 0 : 1
    await until(() => sockets.size === left && connection.isReady === (end === 'giveUp'))
    t.equal(sockets.size, left)
  })
}

await t.test('redis: node-redis: nor does one to a node of a Cluster', async (t) => {
  const { url, sockets } = await startYes(t)
  const connection = connector(createCluster({ rootNodes: [{ url }] }), PATIENT).connect()
  await connection.open()
  const asking = connection.send('k', ['GET', 'k']).catch(() => {})
  connection.close()
  await soon(asking)
  await until(() => sockets.size === 0)
  t.equal(sockets.size, 0)
})

await t.test('redis: node-redis: closed while it asks where the slots are, it makes no connections when it hears it', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
  const { proxies, detours } = await startProxies(t, url)
  const connection = connector(CLUSTER_DRIVERS['node-redis']!(url, detours), PATIENT).connect()
  const asked = proxies.map((proxy) => proxy.hold({ when: (request) => /\bslots\b/i.test(String(request)) }).requested)
  const opening = connection.open()
  await Promise.race(asked)
  connection.close()
  for (const proxy of proxies) proxy.pass()
  await opening.catch(() => {})
  t.equal(proxies.reduce((sum, { connections }) => sum + connections, 0), 1)
})

await t.test('redis: node-redis: a connection that is never there is given up after the timeout, and tried again (E44)', async (t) => {
  const { server, port } = await startServer(t, () => '')
  const connection = connector(createClient({ socket: { host: '127.0.0.1', port, tls: true } }), 100).connect()
  const opening = connection.open().catch(() => {})
  await once(server, 'connection')
  await t.resolves(soon(once(server, 'connection')))
  connection.close()
  await opening
})

await serverCases(t, 'node-redis')
await clusterCases(t, 'node-redis')
