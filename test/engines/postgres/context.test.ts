import Fastify from 'fastify'
import pg from 'pg'
import t from 'tap'
import ifMatch from 'fastify-if-match'
import { postgresAdapter } from '../../../lib/storage/postgres/index.js'
import { sqlStateFault, statementsAdapter, type Row } from '../../../lib/storage/statements/index.js'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { inTransaction, lockNew, untilWaiting } from '../../support/postgres/locks.js'
import { NotingClient, openedAdapter, PATIENT, poolTo, warningsOf } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { until } from '../../support/until.js'

await t.test('postgres: in a transaction of the app', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const pool = poolTo(t, url)

  // As a handler runs one: all of it is committed, or nothing.
  async function transaction<R> (run: (client: pg.PoolClient) => Promise<R>, begin = 'BEGIN'): Promise<R> {
    const client = await pool.connect()
    try {
      await client.query(begin)
      const result = await run(client)
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }

  await t.test('a write is visible to its transaction at once, to others after its COMMIT, and gone after its ROLLBACK', async (t) => {
    const { adapter } = await openedAdapter(pool)
    await transaction(async (client) => {
      const options = { context: { client } }
      t.match(await adapter.write('k', 1, ABSENT, options), { applied: true, created: true })
      t.match(await adapter.read('k', options), { value: 1 })
      t.match(await adapter.list('', options), { items: [{ key: 'k' }] })
      t.match(await adapter.write('k', 2, ABSENT, options), { applied: false, current: { value: 1 } })
      t.equal(await adapter.read('k'), undefined)
    })
    t.match(await adapter.read('k'), { value: 1 })
    await t.rejects(transaction(async (client) => {
      t.match(await adapter.remove('k', EXISTS, { context: { client } }), { applied: true })
      throw new Error('changed its mind')
    }), { message: 'changed its mind' })
    t.match(await adapter.read('k'), { value: 1 })
  })

  await t.test('the write of a handler and its own rows are one: a 412 rolls all of it back', async (t) => {
    const { adapter } = await openedAdapter(pool)
    await pool.query('CREATE TABLE audit (who text)')
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(ifMatch, { storage: adapter, precheck: false, create: 'wildcard' })
    app.put<{ Params: { id: string }, Body: { fails?: boolean } }>(
      '/offers/:id',
      { config: { ifMatch: true } },
      async (request) =>
        await transaction(async (client) => {
          await client.query('INSERT INTO audit VALUES ($1)', [request.params.id])
          return (await request.entity(undefined, { client }).replace(request.body)).value
        })
    )
    const put = async (tag: string) =>
      await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': tag }, payload: { title: tag } })
    const rows = async () => (await pool.query('SELECT 1 FROM audit')).rows.length
    const created = await put('*')
    t.equal(created.statusCode, 200)
    t.equal(await rows(), 1)
    const refused = await put('"other"')
    t.equal(refused.statusCode, 412)
    t.equal(refused.headers.etag, created.headers.etag, 'with the current tag')
    t.equal(await rows(), 1, 'the row of the refused request is gone')
    t.equal((await put(created.headers.etag as string)).statusCode, 200)
    t.equal(await rows(), 2)
  })

  await t.test('statements in a transaction are never named, and leave no setting behind', async (t) => {
    const { adapter } = await openedAdapter(pool)
    await transaction(async (client) => {
      const noting = new NotingClient(client)
      const options = { context: { client: noting } }
      for (const expectation of [ABSENT, EXISTS, ANY]) {
        t.equal(await noting.count(() => adapter.write('k', 1, expectation, options)), 1)
      }
      t.equal(await noting.count(() => adapter.write('k', 1, ABSENT, options)), 2)
      await adapter.remove('k', EXISTS, options)
      t.ok(noting.names.every((name) => name === undefined))
      t.notMatch(noting.texts.join(), /set_config/)
      const prepared = async () => (await client.query('SELECT name FROM pg_prepared_statements')).rows
      const before = await prepared()
      await adapter.write('k', 1, ANY, { context: { client } })
      t.same(await prepared(), before)
      t.same((await client.query('SHOW lock_timeout')).rows, [{ lock_timeout: '0' }])
    })
  })

  await t.test('a serialization failure, a deadlock and a lock that is not free are CONTENTION, never a refusal, and nothing is tried again', async (t) => {
    for (const begin of ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'BEGIN ISOLATION LEVEL SERIALIZABLE']) {
      const { adapter } = await openedAdapter(pool)
      await adapter.write('k', 'before', ANY)
      await t.rejects(transaction(async (client) => {
        await adapter.read('k', { context: { client } })
        await adapter.write('k', 'theirs', ANY)
        await adapter.write('k', 'mine', EXISTS, { context: { client } })
      }, begin), { code: 'FST_IF_MATCH_CONTENTION', cause: { message: /40001/ } })
      t.match(await adapter.read('k'), { value: 'theirs' })
    }
    const { adapter } = await openedAdapter(pool)
    for (const key of ['a', 'b']) await adapter.write(key, 'before', ANY)
    await t.rejects(transaction(async (one) => {
      await adapter.write('a', 'one', ANY, { context: { client: one } })
      await transaction(async (two) => {
        await two.query("SET LOCAL lock_timeout = '50ms'")
        await adapter.write('a', 'two', ANY, { context: { client: two } })
      })
    }), { code: 'FST_IF_MATCH_CONTENTION', cause: { message: /55P03/ } })
    const write = async (client: pg.PoolClient, key: string) =>
      await adapter.write(key, key, ANY, { context: { client } })
    let arrived = 0
    let open = () => {}
    const both = new Promise<void>((resolve) => { open = resolve })
    const outcomes = await Promise.allSettled([['a', 'b'], ['b', 'a']].map(([first, second]) =>
      transaction(async (client) => {
        await write(client, first!)
        if (++arrived === 2) open()
        await both
        await write(client, second!)
      })
    ))
    t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    t.match(
      outcomes.find(({ status }) => status === 'rejected'),
      { reason: { code: 'FST_IF_MATCH_CONTENTION', cause: { message: /40P01/ } } }
    )
  })

  await t.test('a client that is in no transaction is refused: what it wrote could not be rolled back', async (t) => {
    const { adapter } = await openedAdapter(pool)
    const client = await pool.connect()
    const options = { context: { client } }
    const refused = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /BEGIN/ }
    await t.rejects(adapter.write('k', 1, ANY, options), refused)
    await client.query('BEGIN')
    await adapter.write('k', 1, ANY, options)
    await client.query('COMMIT')
    await t.rejects(adapter.remove('k', EXISTS, options), refused)
    client.release()
    t.match(await adapter.read('k'), { value: 1 })
  })

  await t.test('changes that a handler starts together go one after the other over its connection', async (t) => {
    const { adapter } = await openedAdapter(pool)
    await transaction(async (client) => {
      let underWay = 0
      let most = 0
      const counting = {
        escapeIdentifier () {},
        async query (text: string, values?: unknown[]) {
          most = Math.max(most, ++underWay)
          return await client.query(text, values).finally(() => { underWay-- })
        }
      }
      const results = await Promise.all(
        ['a', 'b', 'c'].map((key) => adapter.write(key, 1, ABSENT, { context: { client: counting } }))
      )
      t.ok(results.every(({ applied }) => applied))
      t.equal(most, 1, 'pg 9 does not queue them')
    })
  })

  await t.test('a savepoint takes back what was written since, and a refusal leaves the transaction usable', async (t) => {
    const { adapter } = await openedAdapter(pool)
    await transaction(async (client) => {
      const options = { context: { client } }
      await client.query('SAVEPOINT before')
      await adapter.write('k', 1, ABSENT, options)
      t.match(await adapter.write('k', 2, ABSENT, options), { applied: false, current: { value: 1 } })
      await client.query('ROLLBACK TO before')
      t.match(await adapter.write('k', 3, ABSENT, options), { applied: true, created: true })
      await client.query('SAVEPOINT failed')
      await t.rejects(client.query('SELECT 1 / 0'))
      await client.query('ROLLBACK TO failed')
      t.match(await adapter.read('k', options), { value: 3 })
    })
    t.match(await adapter.read('k'), { value: 3 })
  })

  await t.test('an operation in a transaction that failed before is an error, and no refusal or absence', async (t) => {
    const { adapter } = await openedAdapter(pool)
    await transaction(async (client) => {
      const options = { context: { client } }
      await t.rejects(client.query('SELECT 1 / 0'))
      await t.rejects(adapter.read('k', options), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
        cause: { message: /Roll it back/ }
      })
      await t.rejects(adapter.write('k', 1, ANY, options), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    })
  })

  await t.test('if the connection of a transaction is lost, the outcome is unknown, and no read looks for the write', async (t) => {
    const own = new NotingClient(pool)
    const { adapter } = await openedAdapter(own)
    const before = own.texts.length
    await t.rejects(transaction(async (client) => {
      const noting = new NotingClient(client)
      noting.around = async () => { throw new Error('Connection terminated unexpectedly') }
      const count = await noting.count(() =>
        t.rejects(adapter.write('k', 1, ANY, { context: { client: noting } }), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
      )
      t.equal(count, 1)
      t.equal(own.texts.length, before, 'outside of the transaction neither')
      throw new Error('over')
    }), { message: 'over' })
  })

  await t.test('a context without a client, or with a pool, is refused: the write would be outside of the transaction', async (t) => {
    const { adapter } = await openedAdapter(pool)
    for (const context of [null, {}, { cleint: pool }, { client: {} }, { client: pool }, pool]) {
      await t.rejects(adapter.write('k', 1, ANY, { context }), {
        code: 'FST_IF_MATCH_INVALID_OPTIONS',
        message: /context/
      })
      await t.rejects(adapter.read('k', { context }), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
    }
    t.equal(await adapter.read('k'), undefined)
  })

  await t.test('a transaction that the app left open in its pool takes no write along: 20 that are acknowledged are there after it is gone', async (t) => {
    const rounds = [[20, 1, 'BEGIN'], [2, 3, 'BEGIN'], [2, 1, 'BEGIN; SELECT 1 / 0']] as const
    for (const [writes, max, leave] of rounds) {
      const own = poolTo(t, url, { max })
      const { adapter, table } = await openedAdapter(own)
      // All connections of the pool are left so, as by requests whose handler threw.
      const leaveOpen = async () => {
        const clients = await Promise.all(Array.from({ length: max }, async () => await own.connect()))
        for (const client of clients) {
          await client.query(leave).catch(() => {})
          client.release()
        }
      }
      const warnings = await warningsOf(async () => {
        for (let index = 0; index < writes; index++) {
          await leaveOpen()
          t.match(await adapter.write(`k${index}`, index, ANY), { applied: true, created: true })
          t.match(await adapter.read(`k${index}`), { value: index })
        }
        await adapter.write('removed', 1, ANY)
        await leaveOpen()
        t.match(await adapter.remove('removed', EXISTS), { applied: true })
        await leaveOpen()
        t.equal((await adapter.list('')).items.length, writes)
      })
      t.match(warnings, [{ code: 'FST_IF_MATCH_POSTGRES_OPEN_TRANSACTION', message: /BEGIN that has no COMMIT/ }])
      t.equal(warnings.length, 1, 'one for a pool')
      await own.end()
      const after = await pool.query(`SELECT key FROM ${table}`)
      t.equal(after.rows.length, writes)
    }
  })

  await t.test('a BEGIN that nobody awaited before the client was released: no write that joins it is acknowledged', async (t) => {
    const own = poolTo(t, url, { max: 1 })
    const { adapter } = await openedAdapter(own)
    const beginUnawaited = async () => {
      const client = await own.connect()
      void client.query('BEGIN').catch(() => {})
      client.release()
    }
    const joined = { message: /part of a transaction/ }
    await beginUnawaited()
    await t.rejects(adapter.write('k', 1, ANY), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: joined })
    await beginUnawaited()
    await t.rejects(adapter.read('k'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: joined })
    t.equal(await adapter.read('k'), undefined, 'it was rolled back with the connection')
    t.match(await adapter.write('k', 1, ANY), { applied: true, created: true })
  })

  await t.test('four statements over a pool in which the app left a transaction open: what is acknowledged is there after it', async (t) => {
    await pool.query('CREATE TABLE left_open (id text PRIMARY KEY, n int, version text, replaced text, digest text)')
    interface Columns { n: number }
    const adapterOver = (client: pg.Pool) => statementsAdapter<number, Columns, pg.Pool | pg.PoolClient>({
      client,
      toId: (key) => key,
      toColumns: (n) => ({ n }),
      toValue: ({ n }) => n,
      async read (client, id) {
        return (await client.query<Row<Columns>>('SELECT * FROM left_open WHERE id = $1', [id])).rows[0]
      },
      update: async () => 0,
      insert: async (client, id, { n, version }) =>
        (await client.query('INSERT INTO left_open (id, n, version) VALUES ($1, $2, $3)', [id, n, version])).rowCount,
      remove: async () => 0,
      faultOf: sqlStateFault
    })
    const leaks: Array<(client: pg.PoolClient) => unknown> = [
      async (client) => await client.query('BEGIN'),
      async (client) => await client.query('BEGIN; SELECT 1 / 0').catch(() => {}),
      (client) => { void client.query('BEGIN').catch(() => {}) }
    ]
    const acknowledged: string[] = []
    for (const [index, leak] of leaks.entries()) {
      const own = poolTo(t, url, { max: 1 })
      const adapter = adapterOver(own)
      await warningsOf(async () => {
        for (const key of [`a${index}`, `b${index}`]) {
          const client = await own.connect()
          await leak(client)
          client.release()
          const failure = await adapter.write(key, 1, ABSENT).then(() => { acknowledged.push(key) }, (error) => error)
          const joined = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: { message: /part of a transaction/ } }
          if (failure !== undefined) t.match(failure, joined)
        }
      })
      await own.end()
    }
    t.strictSame(acknowledged, ['a0', 'b0', 'a1', 'b1'])
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM left_open ORDER BY id')
    t.strictSame(rows.map(({ id }) => id), ['a0', 'a1', 'b0', 'b1'])
    const idle = await pool.connect()
    for (const client of [pool, idle, pool.connect().then((client) => { client.release() })]) {
      await t.rejects(adapterOver(pool).read('a0', { context: { client } }), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
    }
    idle.release()
    await transaction(async (client) => {
      t.match(await adapterOver(pool).read('a0', { context: { client } }), { value: 1 })
    })
  })

  await t.test('a pool whose every connection begins in a transaction is an outage, and nothing is written', async (t) => {
    const { adapter, table } = await openedAdapter(pool)
    const config: object = { max: 2, onConnect: async (client: pg.PoolClient) => { await client.query('BEGIN') } }
    const own = poolTo(t, url, config)
    const inIt = postgresAdapter({ client: own, table, ...PATIENT })
    await t.rejects(inIt.write('k', 1, ANY), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
      cause: { cause: { message: /each connection of the pool is inside a transaction/ } }
    })
    t.equal(await adapter.read('k'), undefined)
    t.equal(own.totalCount, 0)
  })

  await t.test('a Client that is inside a transaction of the app is not written to or read from, and the transaction stays the app\'s', async (t) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.teardown(() => client.end())
    const { adapter } = await openedAdapter(client)
    const unavailable = {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
      cause: { cause: { message: /inside a transaction of the app.*context/ } }
    }
    for (const fails of [false, true]) {
      await client.query('BEGIN')
      if (fails) await client.query('SELECT 1 / 0').catch(() => {})
      const calls: Array<() => Promise<unknown>> = [
        () => adapter.write('k', 1, ANY),
        () => adapter.remove('k', EXISTS),
        () => adapter.read('k'),
        () => adapter.list('')
      ]
      for (const call of calls) await t.rejects(call(), unavailable)
      t.not((client as unknown as pg.PoolClient).getTransactionStatus(), 'I')
      await client.query('ROLLBACK')
    }
    const began = client.query('BEGIN')
    await t.rejects(adapter.write('k', 1, ANY), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }, 'the app may commit it')
    await began
    await client.query('ROLLBACK')
    t.match(await adapter.write('k', 1, ABSENT), { applied: true })
  })

  await t.test('a connection stays in the pool when the server refused the statement alone, and leaves it otherwise', async (t) => {
    const own = poolTo(t, url, { max: 1 })
    const { adapter, table } = await openedAdapter(own, { lockTimeout: 50 })
    await own.query(`ALTER TABLE ${table} ADD CONSTRAINT short CHECK (length(value::text) < 100)`)
    const pidOf = async () => (await own.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid
    const first = await pidOf()
    await t.rejects(adapter.write('k', 'x'.repeat(200), ANY))
    t.equal(await pidOf(), first, 'a constraint')
    const end = await inTransaction(t, pool, lockNew(table, 'k'))
    await t.rejects(adapter.write('k', 1, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    await end('ROLLBACK')
    t.equal(await pidOf(), first, 'a lock')
    const unlock = await inTransaction(t, pool, lockNew(table, 'k'))
    const patient = postgresAdapter({ client: own, table, ...PATIENT })
    const writing = t.rejects(patient.write('k', 1, ANY), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    const [waiting] = await untilWaiting(pool, table)
    await pool.query('SELECT pg_terminate_backend($1)', [waiting])
    await writing
    await unlock('ROLLBACK')
    t.not(await pidOf(), first, 'a session that the server ended')
  })

  await t.test('no connection in time is STORAGE_UNAVAILABLE, also without a bound of the pool; the statement is not sent later', async (t) => {
    const own = poolTo(t, url, { max: 1, connectionTimeoutMillis: 0 })
    const { adapter, table } = await openedAdapter(pool)
    const impatient = postgresAdapter({ client: own, table, timeout: 50, lockTimeout: 20 })
    const holder = await own.connect()
    const unavailable = {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
      cause: { cause: { message: 'no connection was free within 50 ms' } }
    }
    await t.rejects(impatient.write('k', 1, ANY), unavailable)
    await t.rejects(impatient.read('k'), unavailable)
    holder.release()
    await until('the waiting calls have had the connection', () => own.waitingCount === 0 && own.idleCount === 1)
    t.equal(await adapter.read('k'), undefined)
    const second = await own.connect()
    const writing = t.rejects(impatient.write('k', 1, ANY), unavailable)
    await until('the write waits', () => own.waitingCount === 1)
    const ended = own.end()
    await writing
    second.release()
    await ended
    await t.rejects(impatient.write('k', 1, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    t.equal(await adapter.read('k'), undefined)
  })
})
