import { once } from 'node:events'
import { createClient, createCluster } from 'redis'
import t from 'tap'
import { NotSentError } from '../../../../lib/storage/redis/faults.js'
import type { NodeRedisClient } from '../../../../lib/storage/redis/index.js'
import { connectionOf, madeOf, soon } from '../../../support/redis/clients.js'
import { fine, startStub } from '../../../support/redis/stub.js'
import { until } from '../../../support/until.js'

const ODD_OPTIONS = {
  RESP: 3,
  readonly: true,
  disableOfflineQueue: false,
  commandsQueueMaxLength: 1,
  maintNotifications: 'enabled',
  pingInterval: 1
} as const
const CACHE = { ttl: 0, maxEntries: 1 }
const OUR_OPTIONS = {
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

await t.test('redis: node-redis: whatever the options of the client are, the connection asks a master, once, and reads answers as they are', async (t) => {
  const odd = createClient({ ...ODD_OPTIONS, commandOptions: { timeout: 1 }, clientSideCache: CACHE })
  const { options } = madeOf(t, odd)
  t.match(options, OUR_OPTIONS)
  t.strictSame((options as { commandOptions: object }).commandOptions, {})
})

await t.test('redis: node-redis: so do the connections to the nodes of a Cluster, whatever its options are', async (t) => {
  const odd = createCluster({
    rootNodes: [],
    RESP: 3,
    useReplicas: true,
    minimizeConnections: false,
    commandOptions: { timeout: 1 },
    clientSideCache: CACHE,
    defaults: ODD_OPTIONS
  })
  const { _options } = madeOf(t, odd)
  t.match(_options, {
    RESP: 2,
    useReplicas: false,
    minimizeConnections: true,
    clientSideCache: undefined,
    defaults: OUR_OPTIONS
  })
  t.strictSame((_options as { commandOptions: object }).commandOptions, {})
})

await t.test('redis: node-redis: after three attempts a node of a Cluster counts as away, and nothing was sent', async (t) => {
  const { _options } = madeOf(t, createCluster({ rootNodes: [] }))
  const { reconnectStrategy } = (_options as {
    defaults: { socket: { reconnectStrategy: (retries: number, cause: Error) => unknown } }
  }).defaults.socket
  const answers = [0, 1, 2, 3].map((retries) => reconnectStrategy(retries, new Error('connect ECONNREFUSED')))
  t.strictSame(answers.map((answer) => typeof answer), ['number', 'number', 'number', 'object'])
  t.ok(answers[3] instanceof NotSentError)
  t.match(answers[3], { message: /no connection.*ECONNREFUSED/ })
})

await t.test('redis: node-redis: of the clients that were given up none goes on, and once closed there is no new one', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const connects: number[] = []
  let clients = 0
  const newClient = (): NodeRedisClient => {
    const id = clients++
    return {
      isReady: false,
      options: {},
      duplicate: newClient,
      sendCommand: async () => {},
      async connect () {
        connects.push(id)
        throw new Error('nobody there')
      },
      destroy () {},
      on () {}
    }
  }
  const before = timers()
  const connection = connectionOf(t, newClient())
  connection.giveUp()
  connection.giveUp()
  await until('the last client tries again', () => connects.filter((id) => id === 3).length >= 3)
  t.equal(connects.filter((id) => id === 2).length, 1)
  connection.close()
  connection.giveUp()
  const tried = connects.length
  await until('no pause between attempts is left', () => timers() <= before)
  t.equal(connects.length, tried)
  t.equal(clients, 4)
})

for (const end of ['close', 'giveUp'] as const) {
  await t.test(`redis: node-redis: a connection that ${end}() finds in the making does not stay`, async (t) => {
    const { port, sockets } = await startStub(t, fine)
    const connection = connectionOf(t, createClient({ url: `redis://127.0.0.1:${port}` }))
    const opening = connection.open().catch(() => {})
    connection[end]()
    await soon(opening)
    const left = end === 'close' ? 0 : 1
    await t.resolves(until(`${left} connections are left`, () =>
      sockets.size === left && connection.isReady === (end === 'giveUp')))
  })
}

await t.test('redis: node-redis: a connection to a node of a Cluster that close() finds in the making does not stay either', async (t) => {
  const { port, sockets } = await startStub(t, fine)
  const connection = connectionOf(t, createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] }))
  await connection.open()
  const asking = connection.send('k', ['GET', 'k']).catch(() => {})
  connection.close()
  await soon(asking)
  await t.resolves(until('no connection is left', () => sockets.size === 0))
})

await t.test('redis: node-redis: a connection that never stands is given up after the timeout, and tried again', async (t) => {
  const { server, port } = await startStub(t, () => '', { staysOpen: true })
  const connection = connectionOf(t, createClient({ socket: { host: '127.0.0.1', port, tls: true } }), 100)
  const opening = connection.open().catch(() => {})
  await once(server, 'connection')
  await t.resolves(soon(once(server, 'connection')))
  connection.close()
  await opening
})
