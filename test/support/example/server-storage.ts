import { once } from 'node:events'
import { createServer, Socket, type AddressInfo } from 'node:net'
import timersModule from 'node:timers'
import type { Test } from 'tap'
import { createStorage } from '../../../example/storage/index.js'
import { ANY, EXISTS } from '../expectations.js'
import { startProxy } from '../services/proxy.js'
import { until } from '../until.js'

/** A database of the test's own on a server, so that all its connections are those of the test. */
export interface OwnDatabase {
  /** As STORAGE names it. */
  url: string
  /** How many connections to it are open. */
  connections: () => Promise<number>
  /** Has the server close them, and tells how many it closed. */
  endConnections: () => Promise<number>
}

/** Lets timers of this delay, in milliseconds, fire at once until the test ends, and counts them. */
function withoutWaiting (t: Test, shortened: number): { count: number } {
  const timers = { count: 0 }
  const { setTimeout } = globalThis
  const value = (act: (...args: unknown[]) => void, delay: number, ...args: unknown[]): NodeJS.Timeout => {
    if (delay === shortened) timers.count++
    return setTimeout(act, delay === shortened ? 0 : delay, ...args)
  }
  // mysql2 takes it from the module.
  for (const owner of [globalThis, timersModule]) t.intercept(owner, 'setTimeout', { value })
  return timers
}

async function opened (url: string) {
  const storage = await createStorage(url)
  await storage.open?.()
  return storage
}

/** The bound of a connection is kept, although the host takes it. */
export async function assertSilentHostIsGivenUp (t: Test, scheme: string): Promise<void> {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.teardown(() => { silent.close() })
  await once(silent, 'listening')
  const address = `${scheme}://user:secret@127.0.0.1:${(silent.address() as AddressInfo).port}/offers`
  const storage = await createStorage(address)
  const timers = withoutWaiting(t, 2000)
  await t.rejects(storage.write('/a', 1, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  t.ok(timers.count > 0)
  await storage.close?.()
}

/** What a storage of the reference server does with its connections to a server. */
export async function serverStorageCases (
  t: Test,
  { url, connections, endConnections }: OwnDatabase
): Promise<void> {
  await t.test('the table is made where it is missing, and the connections end with the storage', async (t) => {
    for (const version of ['first', 'again']) {
      const storage = await opened(url)
      t.match(await storage.write('/a', version, ANY), { applied: true, created: version === 'first' })
      t.ok(await connections() > 0)
      await storage.close?.()
      await until('all connections are gone', async () => await connections() === 0)
      t.equal(await connections(), 0)
      await t.rejects(storage.read('/a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    }
  })

  await t.test('a connection is kept alive, so that it is found out when its other end is gone', async (t) => {
    const kept = t.capture(Socket.prototype, 'setKeepAlive')
    const storage = await opened(url)
    t.match(kept(), [{ args: [true] }])
    await storage.close?.()
  })

  await t.test('the server closes idle connections: the process goes on, over new ones', async (t) => {
    const storage = await opened(url)
    // A pool that opens one connection after the other may serve all from the first.
    await until('several are idle', async () => {
      await Promise.all(Array.from({ length: 8 }, (_, index) => storage.remove(`/none/${index}`, EXISTS)))
      return await connections() > 1
    })
    t.ok(await endConnections() > 1)
    // A connection that the pool hands out before it knows gives an error, and does not end the process.
    await until('the pool has a new connection', async () => await storage.read('/a').catch(() => undefined))
    t.match(await storage.write('/a', 'after', ANY), { applied: true, created: false })
    t.match(await storage.read('/a'), { value: 'after' })
    await storage.close?.()
  })

  await t.test('a server that hangs keeps no connection open: they are destroyed after a second', async (t) => {
    const proxy = await startProxy(t, url)
    const storage = await opened(proxy.url)
    proxy.halfOpen()
    const timers = withoutWaiting(t, 1000)
    await storage.close?.()
    t.equal(timers.count, 1)
  })
}
