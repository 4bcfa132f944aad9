import { Redis } from 'ioredis'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createClient } from 'redis'
import t, { type Test } from 'tap'
import type { RedisClient } from '../../lib/storage/redis.js'
import { connector } from '../../lib/storage/redis-connection.js'
import { skipWithout } from '../services/programs.js'
import { startProxy } from '../services/proxy.js'
import { startRedis } from '../services/redis.js'
import { answering, openedAdapter } from './redis-clients.js'

/** A server that says what it is told to, and never ends a connection. */
async function startServer (t: Test, answer: (request: string) => string): Promise<{ server: Server, port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('data', (request) => { socket.write(answer(String(request))) })
    socket.on('error', () => {})
  })
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as { port: number }).port }
}

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
  const connection = connector(new Redis(port, '127.0.0.1', { lazyConnect: true }), 10_000).connect()
  t.teardown(() => { connection.close() })
  await connection.open()
  const again = once(server, 'connection')
  const start = performance.now()
  await t.rejects(connection.send('k', ['SET', 'k', '1']), { message: /READONLY/ })
  await again
  t.ok(performance.now() - start < 1500)
})

const silent: Record<string, (port: number) => RedisClient> = {
  ioredis: (port) => new Redis(port, '127.0.0.1', { lazyConnect: true, tls: {} }),
  'node-redis': (port) => createClient({ socket: { host: '127.0.0.1', port, tls: true } })
}
for (const [driver, connect] of Object.entries(silent)) {
  await t.test(`redis: ${driver}: a connection that is never there is given up after the timeout, and tried again (E44)`, async (t) => {
    const { server, port } = await startServer(t, () => '')
    const connection = connector(connect(port), 100).connect()
    const opening = connection.open().catch(() => {})
    await once(server, 'connection')
    const start = performance.now()
    await once(server, 'connection')
    t.ok(performance.now() - start < 3000)
    connection.close()
    await opening
  })
}

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
