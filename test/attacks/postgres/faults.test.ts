import Fastify from 'fastify'
import pg from 'pg'
import t, { type Test } from 'tap'
import ifMatch from 'fastify-if-match'
import type { WriteResult } from '../../../lib/storage/adapter.js'
import { createTableSql, postgresAdapter, type PostgresAdapterOptions } from '../../../lib/storage/postgres/index.js'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { inTransaction, lockRows, untilNothingRuns, untilWaiting } from '../../support/postgres/locks.js'
import {
  ENDLESS,
  loggedWrites,
  openedAdapter,
  PATIENT,
  poolTo,
  warningsOf
} from '../../support/postgres/subjects.js'
import { startPgbouncer } from '../../support/services/pgbouncer.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { until } from '../../support/until.js'

const UNKNOWN = 'FST_IF_MATCH_OUTCOME_UNKNOWN'
const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'

// Whether a request is a write: a read has no value in it.
const isWrite = (request: Buffer): boolean => request.includes('mine')

await t.test('postgres: bad days', { skip: skipWithout('postgres') }, async (t) => {
  const service = await startPostgres(t, { own: true })
  const steady = poolTo(t, service.url)

  async function behindProxy (t: Test, options: Partial<PostgresAdapterOptions> = {}, config: pg.PoolConfig = {}) {
    const proxy = await startProxy(t, service.url)
    const { adapter, table } = await openedAdapter(steady)
    const pool = poolTo(t, proxy.url, config)
    const cut = postgresAdapter({ client: pool, table, timeout: 3000, lockTimeout: 1500, ...options })
    await cut.read('warm')
    return { proxy, pool, cut, adapter, table }
  }

  await t.test('if its answer is cut off, a write that was applied is acknowledged, never refused, and is applied once', async (t) => {
    for (const prepared of [true, false]) {
      const { proxy, cut, adapter, table } = await behindProxy(t, { prepared })
      const valuesSoFar = await loggedWrites(steady, table)
      for (const expectation of [ABSENT, EXISTS, ANY]) {
        const { answered } = proxy.cutAnswer({ when: isWrite })
        const writing = cut.write('k', `mine ${expectation.kind}`, expectation)
        await answered
        t.match(await writing, { applied: true, created: expectation.kind === 'absent' }, expectation.kind)
        t.equal((await adapter.read('k'))?.value, `mine ${expectation.kind}`)
      }
      t.same(await valuesSoFar(), ['mine absent', 'mine exists', 'mine any'], 'each once')
      proxy.cutAnswer({ when: (request) => request.includes('DELETE') || request.includes('if_match_') })
      await t.rejects(cut.remove('k', EXISTS), { code: UNKNOWN })
      t.equal(await adapter.read('k'), undefined)
    }
  })

  await t.test('a write whose answer was held and that another client replaced since is acknowledged, and the other write stays', async (t) => {
    const { proxy, cut, adapter } = await behindProxy(t)
    const { answered } = proxy.hold({ when: isWrite })
    const writing = cut.write('k', 'mine', ABSENT)
    await answered
    t.match(await adapter.write('k', 'theirs', EXISTS), { applied: true })
    t.match(await writing, { applied: true, created: true })
    t.equal((await adapter.read('k'))?.value, 'theirs')
  })

  await t.test('an answer that never comes is waited for until "timeout"; then a read on another connection proves the write', async (t) => {
    const { proxy, cut, adapter } = await behindProxy(t)
    // For ever: a test that waits for this answer hangs.
    proxy.hold({ when: isWrite })
    t.match(await cut.write('k', 'mine', ABSENT), { applied: true })
    t.equal((await adapter.read('k'))?.value, 'mine')
  })

  await t.test('on a half-open network a write is unknown and a read unavailable; dead connections leave the pool, which works when the network heals', async (t) => {
    const { proxy, pool, cut, adapter } = await behindProxy(t, {}, { max: 4, connectionTimeoutMillis: 3000 })
    await Promise.all(Array.from({ length: 4 }, () => pool.query('SELECT pg_sleep(0.02)')))
    // Until all three have their answer.
    proxy.halfOpen()
    await Promise.all([
      t.rejects(cut.write('k', 'mine', ABSENT), { code: UNKNOWN }),
      t.rejects(cut.read('k'), { code: UNAVAILABLE }),
      t.rejects(cut.list(''), { code: UNAVAILABLE })
    ])
    await until('no dead connection holds a place in the pool', () => pool.totalCount === 0)
    proxy.pass()
    t.match(await cut.write('k2', 'mine', ABSENT), { applied: true })
    t.match(await adapter.read('k2'), { value: 'mine' })
  })

  await t.test('refused connections, a full pool and a half-open network: nothing is applied after STORAGE_UNAVAILABLE', async (t) => {
    const { proxy, pool, cut, adapter, table } = await behindProxy(t, {}, { max: 1, connectionTimeoutMillis: 2000 })
    const certain: string[] = []
    const attempt = async (key: string) => {
      const code = await cut.write(key, 'mine', ANY).then(() => 'applied', (error: { code: string }) => error.code)
      if (code === UNAVAILABLE) certain.push(key)
      t.ok([UNAVAILABLE, UNKNOWN].includes(code), `${key}: ${code}`)
    }
    await proxy.refuse()
    await Promise.all(['refused-1', 'refused-2'].map(attempt))
    await proxy.accept()
    await cut.read('warm')
    proxy.halfOpen()
    // One after the other, so that they are no batch: the first has the only connection, and the others find the pool
    // full.
    const attempts: Array<Promise<void>> = []
    for (const [index, key] of ['open-1', 'open-2', 'open-3'].entries()) {
      let isOver = false
      attempts.push(attempt(key).finally(() => { isOver = true }))
      await until(`${key} is on its way`, () => isOver || (pool.idleCount === 0 && pool.waitingCount === index))
    }
    await Promise.all(attempts)
    proxy.pass()
    t.ok(certain.length >= 2, certain.join())
    await until('the pool sends nothing', () => pool.waitingCount === 0 && pool.totalCount === pool.idleCount)
    await untilNothingRuns(steady, table)
    for (const key of certain) t.equal(await adapter.read(key), undefined, key)
    t.match(await cut.write('after', 1, ANY), { applied: true })
  })

  await t.test('a backend that is terminated while it waits: unknown or not applied, never a refusal', async (t) => {
    const { cut, adapter, table } = await behindProxy(t, PATIENT)
    await adapter.write('k', 'before', ANY)
    const end = await inTransaction(t, steady, lockRows(table))
    const rejected = t.rejects(cut.write('k', 'mine', EXISTS), { code: UNKNOWN })
    const [pid] = await untilWaiting(steady, table)
    await steady.query('SELECT pg_terminate_backend($1)', [pid])
    await rejected
    await end('ROLLBACK')
    t.equal((await adapter.read('k'))?.value, 'before')
  })

  await t.test('a server or table that cannot be used ends the boot, which says what to do', async (t) => {
    const { hostname, port } = new URL(service.url)
    const pool = (config: pg.PoolConfig) =>
      poolTo(t, service.url, {
        connectionString: undefined,
        host: hostname,
        port: Number(port),
        user: 'postgres',
        database: 'postgres',
        ...config
      } as pg.PoolConfig)
    await steady.query(
      `CREATE ROLE reader LOGIN; ${createTableSql({ table: 'readable' })}; ` +
        'GRANT SELECT ON readable TO reader; CREATE SCHEMA hidden'
    )
    const silent = await startProxy(t, service.url)
    silent.halfOpen()
    const cases: Array<[string, pg.Pool, Partial<PostgresAdapterOptions>, RegExp]> = [
      ['wrong port', pool({ port: 1 }), {}, /no connection could be had: .*ECONNREFUSED/],
      ['wrong host', pool({ host: 'nowhere.invalid' }), {}, /no connection could be had: .*(ENOTFOUND|EAI_AGAIN)/],
      ['no TLS there', pool({ ssl: true }), {}, /does not support SSL/],
      ['wrong database', pool({ database: 'nowhere' }), {}, /no such database/],
      ['wrong user', pool({ user: 'nobody-knows' }), {}, /does not accept the user/],
      ['no table', pool({}), { table: 'nowhere' }, /CREATE TABLE IF NOT EXISTS "nowhere"/],
      ['wrong shape', pool({}), { schema: 'pg_catalog', table: 'pg_class' }, /another shape.*CREATE TABLE/],
      ['too few rights', pool({ user: 'reader' }), { table: 'readable' }, /may not insert, update, delete.*GRANT/],
      ['no right to the schema', pool({ user: 'reader' }), { schema: 'hidden', table: 'entities' }, /GRANT|no table/],
      [
        'no answer',
        pool({ port: silent.port, connectionTimeoutMillis: 0 }),
        { timeout: 300, lockTimeout: 100 },
        /no connection was free within 300 ms/
      ]
    ]
    for (const [name, client, options, message] of cases) {
      await t.rejects(
        postgresAdapter({ client, ...PATIENT, ...options }).open!(),
        { code: 'FST_IF_MATCH_INVALID_ADAPTER', message },
        name
      )
    }
    await t.rejects(postgresAdapter({ ...PATIENT, client: pool({ user: 'reader' }), table: 'mine' }).createTable(), {
      code: 'FST_IF_MATCH_INVALID_ADAPTER',
      message: /may not make the table.*CREATE TABLE IF NOT EXISTS "mine".*GRANT/
    })
    await steady.query('GRANT INSERT, UPDATE, DELETE ON readable TO reader')
    const made = postgresAdapter({ ...PATIENT, client: pool({ user: 'reader' }), table: 'readable' })
    await made.createTable()
    await made.open!()
    await steady.query('REVOKE INSERT, UPDATE, DELETE ON readable FROM reader')
    const standby = pool({ options: '-c default_transaction_read_only=on' })
    await t.rejects(postgresAdapter({ ...PATIENT, client: standby, table: 'readable' }).open!(), {
      code: 'FST_IF_MATCH_INVALID_ADAPTER',
      message: /read only/
    })
    const quick = postgresAdapter({
      ...PATIENT,
      client: pool({ options: '-c synchronous_commit=off' }),
      table: 'readable'
    })
    const warnings = await warningsOf(async () => { await quick.open!() })
    t.match(warnings, [{ code: 'FST_IF_MATCH_POSTGRES_NOT_DURABLE', message: /synchronous_commit = off/ }])
  })

  await t.test('the SQLSTATE of a pooler that lost the server is no rollback: the write is proven or unknown', { skip: skipWithout('pgbouncer') }, async (t) => {
    const proxy = await startProxy(t, service.url)
    const bouncer = await startPgbouncer(t, proxy.url)
    const { adapter, table } = await openedAdapter(steady)
    const cut = postgresAdapter({ client: poolTo(t, bouncer.url), table, prepared: false, ...PATIENT })
    await cut.read('warm')
    const { answered } = proxy.cutAnswer({ when: isWrite })
    const writing = cut.write('k', 'mine', ABSENT).then(
      (result: WriteResult) => String(result.applied),
      (error: { code: string }) => error.code
    )
    await answered
    t.ok(['true', UNKNOWN].includes(await writing), await writing)
    t.equal((await adapter.read('k'))?.value, 'mine')
  })

  await t.test('a server that is down is 503 with Retry-After at once, and requests succeed again when the server is back', { skip: skipWithoutOwn('postgres') }, async (t) => {
    // Without bounds: a request that waited for one before its answer would hang.
    const { adapter } = await openedAdapter(poolTo(t, service.url, { connectionTimeoutMillis: 0 }), ENDLESS)
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(ifMatch, { storage: adapter, create: 'wildcard' })
    app.put(
      '/offers/:id',
      { config: { ifMatch: true } },
      async (request) => (await request.entity().replace(request.body)).value
    )
    app.get('/offers/:id', { config: { ifMatch: true } }, async (request) => (await request.entity().read()).value)
    const put = async () =>
      await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': '*' }, payload: { a: 1 } })
    const { etag } = (await put()).headers
    await service.kill()
    for (const answer of [
      await put(),
      await app.inject('/offers/1'),
      await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': etag as string }, payload: {} })
    ]) {
      t.equal(answer.statusCode, 503)
      t.ok(answer.headers['retry-after'])
      t.equal(answer.json().code, UNAVAILABLE)
    }
    await service.restart()
    t.equal((await app.inject('/offers/1')).headers.etag, etag)
    t.equal((await put()).statusCode, 200)
  })
})
