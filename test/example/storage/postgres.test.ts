import { once } from 'node:events'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import pg from 'pg'
import t from 'tap'
import { createStorage } from '../../../example/storage/index.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import { start } from '../../support/example/server-process.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithoutOwn } from '../../support/services/programs.js'

const ANY = { kind: 'any' } as const

await t.test('postgres: an address of another form does not boot, and its password is in no message', async (t) => {
  for (const rest of [
    'user:hush@host:port/offers',
    'user:hush#@host/offers',
    'user:hush@host:99999/offers',
    'user:hush@[::1/offers',
    'user:hush@host/offers?port=x'
  ]) {
    const error = await createStorage(`postgres://${rest}`).then(
      () => undefined,
      (error: unknown) => error
    )
    t.type(error, SettingError, rest)
    t.match(error, { message: /^STORAGE accepts "postgres:\/\/user:password@host:port\/database"/ })
    t.notMatch(inspect(error), /hush/)
  }
})

await t.test('postgres: a host that takes connections and says nothing is not waited for, and nothing was sent: no unknown outcome (E30, E32)', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.teardown(() => { silent.close() })
  await once(silent, 'listening')
  const storage = await createStorage(`postgres://user@127.0.0.1:${(silent.address() as AddressInfo).port}/offers`)
  await t.rejects(storage.write('/a', 1, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  await storage.close?.()
})

await t.test('postgres: with a server', { skip: skipWithoutOwn('postgres') }, async (t) => {
  const { url } = await startPostgres(t, { own: true })
  const observer = new pg.Client({ connectionString: url })
  await observer.connect()
  t.teardown(async () => { await observer.end() })
  const connections = async (expression = 'pid') =>
    (await observer.query(`SELECT ${expression} FROM pg_stat_activity WHERE application_name = 'offers-api'`)).rows
      .length

  async function opened () {
    const storage = await createStorage(url)
    await storage.open?.()
    return storage
  }

  await t.test('the table is made where it is missing, and the connections end with the storage', async (t) => {
    for (const version of ['first', 'again']) {
      const storage = await opened()
      t.match(await storage.write('/a', version, ANY), { applied: true, created: version === 'first' })
      t.ok(await connections() > 0)
      await storage.close?.()
      for (let attempt = 0; attempt < 2000 && await connections() > 0; attempt++) await delay(10)
      t.equal(await connections(), 0)
      await t.rejects(storage.read('/a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    }
  })

  await t.test('a connection whose other end is gone is found out, for it is kept alive (E32)', async (t) => {
    const kept = t.capture(Socket.prototype, 'setKeepAlive')
    const storage = await opened()
    t.match(kept(), [{ args: [true] }])
    await storage.close?.()
  })

  await t.test('the server closes idle connections: the process goes on, over new ones (E33)', async (t) => {
    const storage = await opened()
    await Promise.all(Array.from({ length: 8 }, (_, at) => storage.remove(`/none/${at}`, { kind: 'exists' })))
    t.ok(await connections() > 1, 'several are idle')
    t.ok(await connections('pg_terminate_backend(pid)') > 1)
    // What is handed out in the moment before the pool knows is an error, and not the end.
    const read = async () => await storage.read('/a').catch(() => undefined)
    for (let attempt = 0; attempt < 2000 && await read() === undefined; attempt++) await delay(10)
    t.match(await storage.write('/a', 'after', ANY), { applied: true, created: false })
    t.match(await storage.read('/a'), { value: 'after' })
    await storage.close?.()
  })
})

await t.test('postgres: the server hangs: SIGTERM ends the process all the same', { skip: skipWithoutOwn('postgres') }, async (t) => {
  const service = await startPostgres(t, { own: true })
  const { child, exit, output, log } = start(t, { STORAGE: service.url })
  await output.says(/listens at/)
  service.pause()
  t.teardown(() => { service.resume() })
  child.kill('SIGTERM')
  const gaveUp = new AbortController()
  t.strictSame(await Promise.race([exit, delay(60_000, 'it hangs', { signal: gaveUp.signal })]), [0, null], log.text())
  gaveUp.abort()
})
