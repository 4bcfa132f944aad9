import { Cluster, Redis } from 'ioredis'
import { once } from 'node:events'
import t from 'tap'
import { connectionOf, LONG_TIMEOUT, madeOf, soon } from '../../../support/redis/clients.js'
import { requestsIn, startStub } from '../../../support/redis/stub.js'

// The effect of some options shows only with replicas, or not at all. So this compares the options that the driver
// gets.
const ODD_OPTIONS = {
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
const OUR_OPTIONS = {
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

await t.test('redis: ioredis: whatever the options of the client are, the connection asks a master, once, and reads answers as they are', async (t) => {
  const { options } = madeOf(t, new Redis(ODD_OPTIONS))
  t.match(options, { ...OUR_OPTIONS, enableOfflineQueue: false })
  const { reconnectOnError } = options as { reconnectOnError: (error: Error) => unknown }
  t.strictSame(
    ['READONLY no', 'LOADING no', 'OOM no'].map((message) => reconnectOnError(new Error(message))),
    [true, false, false],
    'and no command is sent again, as 2 would have it'
  )
})

await t.test('redis: ioredis: so do the connections to the nodes of a Cluster, whatever its options are', async (t) => {
  const cluster = new Cluster([], {
    lazyConnect: true,
    scaleReads: 'slave',
    enableAutoPipelining: true,
    retryDelayOnFailover: 1,
    retryDelayOnClusterDown: 1,
    redisOptions: ODD_OPTIONS
  })
  const { options } = madeOf(t, cluster)
  t.match(options, {
    lazyConnect: true,
    scaleReads: 'master',
    enableAutoPipelining: false,
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    redisOptions: OUR_OPTIONS
  })
})

// The answers of a server that became a replica after the driver had looked at it.
function demoted (requests: string): string {
  const info = 'role:master\r\nloading:0\r\n'
  return requestsIn(requests).map((request) => {
    if (/\binfo\b/i.test(request)) return `$${info.length}\r\n${info}\r\n`
    return /\bset\b/i.test(request) ? "-READONLY You can't write against a read only replica.\r\n" : '+OK\r\n'
  }).join('')
}

await t.test('redis: ioredis: a server that was demoted and does not end its connection is not waited for', async (t) => {
  const { server, port } = await startStub(t, demoted, { staysOpen: true })
  const connection = connectionOf(t, new Redis(port, '127.0.0.1', { lazyConnect: true }), LONG_TIMEOUT)
  await connection.open()
  const again = once(server, 'connection')
  await t.rejects(connection.send('k', ['SET', 'k', '1']), { message: /READONLY/ })
  await t.resolves(soon(again))
})

await t.test('redis: ioredis: a connection that never stands is given up after the timeout, and tried again', async (t) => {
  const { server, port } = await startStub(t, () => '', { staysOpen: true })
  const connection = connectionOf(t, new Redis(port, '127.0.0.1', { lazyConnect: true, tls: {} }), 100)
  const opening = connection.open().catch(() => {})
  await once(server, 'connection')
  await t.resolves(soon(once(server, 'connection')))
  connection.close()
  await opening
})

await t.test('redis: ioredis: the commands of one turn of the event loop leave together, at its end, over each connection anew', async (t) => {
  const packets: string[][] = []
  const answer = (requests: string): string => {
    const named = requestsIn(requests)
    packets.push(named.filter((request) => /\bset\b/i.test(request)))
    return named.map((request) => /\binfo\b/i.test(request) ? '$0\r\n\r\n' : '+OK\r\n').join('')
  }
  const { port } = await startStub(t, answer, { staysOpen: true })
  let made: Redis | undefined
  class Watched extends Redis {
    override duplicate (override?: object): Redis {
      made = super.duplicate(override)
      return made
    }
  }
  const connection = connectionOf(t, new Watched(port, '127.0.0.1', { lazyConnect: true }), LONG_TIMEOUT)
  await connection.open()
  for (let connections = 0; connections < 2; connections++) {
    packets.length = 0
    const sent = ['a', 'b', 'c'].map(async (key) => await connection.send(key, ['SET', key, '1'], false))
    t.equal(made!.stream.writableCorked, 1)
    t.strictSame(await Promise.all(sent), ['OK', 'OK', 'OK'])
    t.equal(made!.stream.writableCorked, 0)
    t.strictSame(packets.map((requests) => requests.length), [3])
    const alone = connection.send('d', ['SET', 'd', '1'])
    t.equal(made!.stream.writableCorked, 0, 'one that is alone waits for nothing')
    await alone
    const again = once(made!, 'ready')
    made!.stream.destroy()
    await soon(again)
  }
})

await t.test('redis: a Cluster client of ioredis keeps nothing for later', async (t) => {
  const connection = connectionOf(t, new Cluster([], { lazyConnect: true, enableOfflineQueue: true }), 500)
  await t.rejects(connection.send('k', ['SET', 'k', 'ghost'], false), /Cluster isn't ready/)
})
