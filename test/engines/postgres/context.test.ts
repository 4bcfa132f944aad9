import Fastify from 'fastify'
import type pg from 'pg'
import t from 'tap'
import ifMatch from 'fastify-if-match'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { NotingClient, openedAdapter, poolTo } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'

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
})
