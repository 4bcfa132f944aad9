import pg from 'pg'
import t, { type Test } from 'tap'
import type { WriteResult } from '../../../lib/storage/adapter.js'
import { createTableSql, postgresAdapter, type PostgresAdapterOptions } from '../../../lib/storage/postgres/index.js'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { lostAnswers, networkFaults, UNKNOWN, type CutOptions } from '../../support/network-faults.js'
import { assertOutageIs503 } from '../../support/outage.js'
import { inTransaction, lockRows, untilWaiting } from '../../support/postgres/locks.js'
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

// Whether a request is a write: a read has no value in it.
const isWrite = (request: Buffer): boolean => request.includes('mine')

await t.test('postgres: bad days', { skip: skipWithout('postgres') }, async (t) => {
  const service = await startPostgres(t, { own: true })
  const steady = poolTo(t, service.url)

  async function behindProxy (
    t: Test,
    options: Partial<PostgresAdapterOptions> = {},
    { connections = 8, patience = PATIENT.timeout }: CutOptions = {}
  ) {
    const proxy = await startProxy(t, service.url)
    const { adapter, table } = await openedAdapter(steady)
    const pool = poolTo(t, proxy.url, { max: connections, connectionTimeoutMillis: patience })
    const cut = postgresAdapter({ client: pool, table, timeout: 3000, lockTimeout: 1500, ...options })
    await cut.read('warm')
    return {
      proxy,
      cut,
      counts: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
      fill: async () =>
        await Promise.all(Array.from({ length: connections }, () => pool.query('SELECT pg_sleep(0.02)'))),
      adapter,
      table,
      valuesSoFar: await loggedWrites(steady, table)
    }
  }

  await networkFaults(t, async (t, options) => await behindProxy(t, {}, options))

  await t.test('unprepared: if its answer is cut off, a write that was applied is acknowledged, never refused, and is applied once', async (t) => {
    await lostAnswers(t, await behindProxy(t, { prepared: false }))
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
    t.equal(await assertOutageIs503(t, service, adapter), 1)
  })
})
