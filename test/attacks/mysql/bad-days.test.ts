import t, { type Test } from 'tap'
import { mysqlAdapter, type MysqlAdapterOptions } from '../../../lib/storage/mysql/index.js'
import { ANY, EXISTS } from '../../support/expectations.js'
import { driversOf, rowsOf, type Connection } from '../../support/mysql/drivers.js'
import { loggedWrites } from '../../support/mysql/logged-writes.js'
import { countedPool } from '../../support/mysql/pools.js'
import { openedAdapter, PATIENT } from '../../support/mysql/subjects.js'
import { UNAVAILABLE, UNKNOWN } from '../../support/network-faults.js'
import { assertOutageIs503 } from '../../support/outage.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { startProxy } from '../../support/services/proxy.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { until } from '../../support/until.js'

/** What becomes of an operation: the code of its error, or whether it was applied. */
async function outcomeOf (operation: Promise<{ applied: boolean }>): Promise<string> {
  return await operation.then(({ applied }) => applied ? 'applied' : 'refused', ({ code }) => String(code))
}

await t.test('mysql: bad days', { skip: skipWithoutOwn('mysql') }, async (t) => {
  const service = await startMariadb(t, { own: true })
  const root = await driversOf(service.url)[0]!.connect(t)
  // What a new server lets everybody do with the database `test`.
  await root.query('DELETE FROM mysql.db')
  await root.query('FLUSH PRIVILEGES')
  await root.query('CREATE USER app@127.0.0.1')
  await root.query('GRANT ALL ON test.* TO app@127.0.0.1')
  const asApp = service.url.replace('root@', 'app@')

  /** The connections of the app, or those of them that carry out a statement on this table. */
  async function idsOfApp (table?: string): Promise<unknown[]> {
    const where = table === undefined ? "user = 'app'" : `user = 'app' AND info LIKE '%${table}%'`
    const rows = rowsOf(await root.query(`SELECT id FROM information_schema.processlist WHERE ${where}`))
    return rows.map(({ id }) => id)
  }

  for (const driver of driversOf(asApp)) {
    const { name } = driver

    async function opened (t: Test, options: Partial<MysqlAdapterOptions> = {}) {
      const { client, counts, fill } = countedPool(t, name, asApp, { connections: 4, patience: 2000 })
      const { adapter, table } = await openedAdapter(client, options)
      const steady = driversOf(service.url)[0]!.pool(t)
      return { adapter, table, counts, fill, valuesSoFar: await loggedWrites(steady, table) }
    }

    await t.test(`${name}: idle connections are killed: nothing is lost or done twice, and the pool goes on over new ones`, async (t) => {
      const { adapter, fill, valuesSoFar } = await opened(t)
      await fill()
      const applied: string[] = []
      const others: string[] = []
      for (let round = 0; round < 5; round++) {
        for (const id of await idsOfApp()) await root.query(`KILL ${id}`)
        await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => {
          const value = `${round}/${key}`
          const outcome = await outcomeOf(adapter.write(key, value, ANY))
          if (outcome === 'applied') applied.push(value)
          if (outcome === UNAVAILABLE) others.push(value)
          t.ok(['applied', UNAVAILABLE, UNKNOWN].includes(outcome), outcome)
        }))
        await until('it writes again', async () => await outcomeOf(adapter.write('z', round, ANY)) === 'applied')
      }
      const stored = await valuesSoFar()
      t.equal(new Set(stored.map(String)).size, stored.length, 'none is there twice')
      t.strictSame(applied.filter((value) => !stored.includes(value)), [], 'none that was acknowledged is lost')
      t.strictSame(others.filter((value) => stored.includes(value)), [], 'none that was unavailable is there')
    })

    await t.test(`${name}: a connection is killed while its write waits for a row: unknown or not applied, never a refusal`, async (t) => {
      const { adapter, table } = await opened(t)
      await adapter.write('k', 'before', ANY)
      const end = await locked(t, root, table)
      const writing = outcomeOf(adapter.write('k', 'mine', EXISTS))
      const [id] = await until('the write waits', async () => {
        const ids = await idsOfApp(table)
        return ids.length > 0 && ids
      })
      await root.query(`KILL ${id}`)
      t.ok([UNAVAILABLE, UNKNOWN].includes(await writing), await writing)
      await end()
      t.equal((await adapter.read('k'))?.value, 'before')
    })

    await t.test(`${name}: the server stops answering: a write is unknown and a read unavailable; it goes on when the server does, and no write is done twice`, async (t) => {
      const { adapter, fill, valuesSoFar } = await opened(t, { timeout: 1500, lockTimeout: 1000 })
      await adapter.write('k', 'before', ANY)
      await fill()
      service.pause()
      t.teardown(() => { service.resume() })
      await Promise.all([
        t.rejects(adapter.write('k', 'mine', EXISTS), { code: UNKNOWN }),
        t.rejects(adapter.read('k'), { code: UNAVAILABLE }),
        t.rejects(adapter.list(''), { code: UNAVAILABLE })
      ])
      t.match(await outcomeOf(adapter.write('later', 'mine', ANY)), /UNKNOWN|UNAVAILABLE/)
      service.resume()
      await until('it reads again', async () => await adapter.read('k').then(() => true, () => false))
      await until('it writes again', async () => await outcomeOf(adapter.write('z', 'again', ANY)) === 'applied')
      const stored = await valuesSoFar()
      t.equal(new Set(stored).size, stored.length, 'none is there twice')
    })

    await t.test(`${name}: a connection is gone on the server, and its client is not told: it is closed after the wait, nobody else's is killed, and the process goes on`, async (t) => {
      const proxy = await startProxy(t, asApp)
      const { client } = countedPool(t, name, proxy.url, { connections: 1 })
      const { adapter } = await openedAdapter(client, { timeout: 2000, lockTimeout: 1000 })
      await adapter.write('k', 'before', ANY)
      const before = proxy.connections
      const { answered } = proxy.hold({ when: (request) => request.includes('mine') })
      const writing = adapter.write('k', 'mine', EXISTS)
      await answered
      for (const id of await idsOfApp()) await root.query(`KILL ${id}`)
      t.match(await writing, { applied: true }, 'a read over the next connection proves it')
      // The driver mariadb would send KILL over a connection of its own: its error is of nobody, and ends the process.
      t.equal(proxy.connections, before + 1)
      t.match(await adapter.write('k', 'again', EXISTS), { applied: true })
      t.equal(proxy.connections, before + 1)
    })

    await t.test(`${name}: a server that becomes read only refuses writes, which are certainly not applied, and serves reads`, async (t) => {
      const { adapter } = await opened(t)
      await adapter.write('k', 'before', ANY)
      await root.query('SET GLOBAL read_only = 1')
      t.teardown(async () => { await root.query('SET GLOBAL read_only = 0') })
      for (const change of [
        () => adapter.write('k', 'mine', EXISTS),
        () => adapter.write('new', 'mine', ANY),
        () => adapter.remove('k', EXISTS)
      ]) t.equal(await outcomeOf(change()), UNAVAILABLE)
      t.match(await adapter.list(''), { items: [{ key: 'k', value: 'before' }] })
      await root.query('SET GLOBAL read_only = 0')
      t.match(await adapter.write('k', 'after', EXISTS), { applied: true })
    })

    await t.test(`${name}: a server or table that cannot be used ends the boot, which says what to do`, async (t) => {
      const reader = `reader_${name}`
      const { adapter, table } = await opened(t)
      await root.query(`CREATE USER ${reader}@127.0.0.1`)
      await root.query(`GRANT SELECT ON test.${table} TO ${reader}@127.0.0.1`)
      const acquiring = name === 'mariadb' ? { acquireTimeout: 1000 } : {}
      const pool = (options: object) => {
        const made = driver.pool(t, { ...acquiring, ...options })
        ;(made as unknown as NodeJS.EventEmitter).on('error', () => {})
        return made
      }
      const cases: Array<[string, object, Partial<MysqlAdapterOptions>, RegExp]> = [
        ['wrong port', { port: 1 }, {}, /no connection could be had/],
        ['wrong host', { host: 'nowhere.invalid' }, {}, /no connection could be had/],
        ['wrong database', { database: 'nowhere' }, {}, /no such database/],
        ['wrong password', { password: 'hush' }, {}, /does not accept the user or the password/],
        ['no TLS there', { ssl: {} }, {}, /TLS|SSL/],
        ['no table', {}, { table: 'nowhere' }, /CREATE TABLE/],
        ['too few rights', { user: reader }, { table }, /GRANT/],
        ['no rights at all', { user: reader }, { table: `${table}_log` }, /the user has no rights on it/]
      ]
      for (const [title, options, table, message] of cases) {
        const { open } = mysqlAdapter({ client: pool(options), ...PATIENT, ...table })
        const error = await open!().then(() => undefined, (error) => error)
        t.match(error, { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }, title)
        t.notMatch(String(error?.message), /hush/)
      }
      await adapter.close!()
    })
  }

  for (const { name } of driversOf(asApp)) {
    await t.test(`${name}: a server that is down is 503 with Retry-After, and requests succeed again when the server is back`, async (t) => {
      const { client } = countedPool(t, name, service.url, { patience: 1000 })
      const { adapter } = await openedAdapter(client)
      const requests = await assertOutageIs503(t, service, adapter)
      t.comment(`${requests} requests until it was back`)
    })
  }
})

/** Locks all rows of a table, until it is called. */
async function locked (t: Test, connection: Connection, table: string): Promise<() => Promise<void>> {
  await connection.query('BEGIN')
  await connection.query(`UPDATE ${table} SET digest = 'locked'`)
  const end = async () => { await connection.query('ROLLBACK') }
  t.teardown(end)
  return end
}
