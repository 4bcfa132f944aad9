import { once } from 'node:events'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createStorage } from '../../../example/storage/index.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import { ANY, EXISTS } from '../../support/expectations.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { uniqueName } from '../../support/services/service.js'
import { until } from '../../support/until.js'

/** Lets timers of this delay, in milliseconds, fire at once until the test ends, and counts them. */
function withoutWaiting (t: Test, shortened: number): { count: number } {
  const timers = { count: 0 }
  const { setTimeout } = globalThis
  const value = (act: () => void, delay: number): NodeJS.Timeout => {
    if (delay === shortened) timers.count++
    return setTimeout(act, delay === shortened ? 0 : delay)
  }
  t.intercept(globalThis, 'setTimeout', { value })
  return timers
}

/** A database of the test's own on the shared server, so that all its connections are those of the test. */
async function ownDatabase (t: Test): Promise<{ url: string, observer: pg.Client, name: string }> {
  const server = (await startPostgres(t)).url
  const name = uniqueName()
  const observer = new pg.Client({ connectionString: server })
  await observer.connect()
  await observer.query(`CREATE DATABASE ${name}`)
  t.teardown(async () => {
    await observer.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await observer.end()
  })
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, observer, name }
}

async function opened (url: string) {
  const storage = await createStorage(url)
  await storage.open?.()
  return storage
}

await t.test('postgres: an address of another form does not boot, and its password is in no message', async (t) => {
  for (const rest of [
    'user:hush@host:port/offers',
    'user:hush#@host/offers',
    'user:hush@host:99999/offers',
    'user:hush@[::1/offers',
    'user:hush@host/offers?port=x'
  ]) {
    const error = await createStorage(`postgres://${rest}`).then(() => undefined, (error: unknown) => error)
    t.type(error, SettingError, rest)
    t.match(error, { message: /^STORAGE accepts "postgres:\/\/user:password@host:port\/database"/ })
    t.notMatch(inspect(error), /hush/)
  }
})

await t.test('postgres: a host that takes connections and says nothing is given up, and nothing was sent: no unknown outcome', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.teardown(() => { silent.close() })
  await once(silent, 'listening')
  const storage = await createStorage(`postgres://user@127.0.0.1:${(silent.address() as AddressInfo).port}/offers`)
  const timers = withoutWaiting(t, 2000)
  await t.rejects(storage.write('/a', 1, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  t.ok(timers.count > 0)
  await storage.close?.()
})

await t.test('postgres: with a server', { skip: skipWithout('postgres') }, async (t) => {
  const { url, observer, name } = await ownDatabase(t)
  const connections = async (expression = 'pid'): Promise<number> => {
    const where = `application_name = 'offers-api' AND datname = '${name}'`
    return (await observer.query(`SELECT ${expression} FROM pg_stat_activity WHERE ${where}`)).rows.length
  }

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
    await Promise.all(Array.from({ length: 8 }, (_, index) => storage.remove(`/none/${index}`, EXISTS)))
    t.ok(await connections() > 1, 'several are idle')
    t.ok(await connections('pg_terminate_backend(pid)') > 1)
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
})
