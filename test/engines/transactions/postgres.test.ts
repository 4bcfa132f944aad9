import pg from 'pg'
import t from 'tap'
import { pgTransaction } from 'fastify-if-match/storage/transactions'
import { barrier } from '../../support/barrier.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { poolTo, QUICK, warningsOf } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { until } from '../../support/until.js'
import { itemsAdapter, itemsTable } from '../../support/transactions/items.js'

const LEVELS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE']
const ROUNDS = 6

await t.test('transactions on PostgreSQL', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const pool = poolTo(t, url, QUICK)
  const other = poolTo(t, url, QUICK)

  for (const level of LEVELS) {
    await t.test(`at ${level}: of racing creates and of racing works one is applied, and none after a job that added a part`, async (t) => {
      const table = await itemsTable(t, pool)
      const adapters = [pool, other].map((pool) => itemsAdapter(pool, table.name, `BEGIN ISOLATION LEVEL ${level}`))
      const callers = Array.from({ length: 12 }, (_, caller) => adapters[caller % 2]!)
      for (let round = 0; round < ROUNDS; round++) {
        const key = `item ${round}`
        const created = await Promise.all(callers.map(async (adapter, caller) =>
          await adapter.write(key, { caller }, ABSENT)))
        const winner = created.findIndex(({ applied }) => applied)
        t.equal(created.filter(({ applied }) => applied).length, 1)
        t.match(await adapters[0]!.read(key), { value: { caller: winner } })

        const expectation = versionIn((await adapters[0]!.read(key))!.version)
        const works = callers.map(async (adapter, caller) =>
          await adapter.transaction(key, expectation, async (tx: pg.PoolClient) => {
            await tx.query(`DELETE FROM ${table.name}_parts WHERE item = $1`, [key])
            for (const part of ['a', 'b']) await table.addPart(tx, key, `${part} of ${caller}`)
          }))
        // The job comes in at any moment: whoever commits first moves the version.
        const job = table.addPart(pool, key, 'c of the job')
        const applied = (await Promise.all(works)).map((result, caller) => result.applied ? caller : -1)
        await job
        const winners = applied.filter((caller) => caller >= 0)
        t.ok(winners.length <= 1, `${winners.length} applied`)
        const expected = winners.flatMap((caller) => [`a of ${caller}`, `b of ${caller}`])
        t.strictSame(await table.partsOf(key), [...expected, 'c of the job'], 'of one writer, and of the job')
      }
    })
  }

  await t.test('a write inside the work of a creation never takes the row of another creation for its own', async (t) => {
    const table = await itemsTable(t, pool)
    const adapter = itemsAdapter(pool, table.name)
    const both = barrier()
    let absent = 0
    const results = await Promise.all(['one', 'other'].map(async (value) =>
      await adapter.transaction('k', ABSENT, async (tx: pg.PoolClient) => {
        if (++absent === 2) both.open()
        await both.opened
        // The first one commits between the look of the second one and its write.
        if (value === 'other') await until('the other is committed', async () => await adapter.read('k') !== undefined)
        await adapter.write('k', value, ANY, { context: { client: tx } })
        await adapter.write('k', `${value}, again`, EXISTS, { context: { client: tx } })
      })))
    t.match(results, [{ applied: true }, { applied: false, current: { value: 'one, again' } }])
    t.equal((await adapter.read('k'))?.value, 'one, again')
  })

  await t.test('two works that lock two items in opposite order are both applied: the deadlock runs one of them again', async (t) => {
    const table = await itemsTable(t, pool)
    for (const key of ['a', 'b']) await itemsAdapter(pool, table.name).write(key, 0, ABSENT)
    // A newcomer may take the lock of the row that was just set free ahead of the one that waits for it, and meet it
    // again. So the third transaction begins when one has ended.
    const ended = barrier()
    let begun = 0
    const inTurn: pg.Pool = Object.create(pool, {
      connect: {
        async value () {
          if (++begun === 3) await ended.opened
          return await pool.connect()
        }
      }
    })
    const adapter = itemsAdapter(inTurn, table.name, undefined, 'table')
    const both = barrier()
    let runs = 0
    const move = async (first: string, second: string) =>
      await adapter.transaction(first, EXISTS, async (tx: pg.PoolClient) => {
        if (++runs === 2) both.open()
        await both.opened
        for (const key of [first, second]) await adapter.write(key, first, EXISTS, { context: { client: tx } })
      }, { digest: `of ${first}` }).finally(ended.open)
    const results = await Promise.all([move('a', 'b'), move('b', 'a')])
    t.match(results, [{ applied: true }, { applied: true }])
    t.equal(runs, 3)
    const [a, b] = [await adapter.read('a'), await adapter.read('b')]
    t.equal(a?.value, b?.value)
    const isMovedFromA = a?.value === 'a'
    t.match([a?.digest, b?.digest], isMovedFromA ? ['of a', undefined] : [undefined, 'of b'], 'of the last one')
  })

  for (const lastWrites of ['table', 'columns'] as const) {
    await t.test(`what is known of the last write, kept in ${lastWrites}, holds until somebody writes past the adapter: RFC 9110 13.1.1`, async (t) => {
      const table = await itemsTable(t, pool, undefined, lastWrites)
      const adapter = itemsAdapter(pool, table.name, undefined, lastWrites)
      const refused = async () => await adapter.write('k', 'again', versionIn('other'))
      await adapter.write('k', 0, ABSENT, { digest: 'of the creation' })
      const created = await adapter.read('k')
      t.match(created, { replaced: undefined, digest: 'of the creation' })
      const { version } = await adapter.transaction('k', EXISTS, async (tx: pg.PoolClient) => {
        await table.addPart(tx, 'k', 'a')
        await adapter.write('k', 1, EXISTS, { context: { client: tx }, digest: 'of the work' })
        await table.addPart(tx, 'k', 'b')
      }, { digest: 'of the whole' }) as { version: string }
      const current = { version, replaced: created!.version, digest: 'of the whole' }
      t.match([await adapter.read('k'), await refused()], [current, { applied: false, current }])
      await table.addPart(pool, 'k', 'of the job')
      const moved = await adapter.read('k')
      t.not(moved!.version, version)
      t.match([moved, await refused()], [
        { replaced: undefined, digest: undefined }, { current: { replaced: undefined, digest: undefined } }
      ])
      await adapter.write('k', 2, EXISTS)
      t.match(await adapter.read('k'), { replaced: moved!.version, digest: undefined })
      await adapter.remove('k', EXISTS)
      await pool.query(`INSERT INTO ${table.name} (id, value) VALUES ('k', '3')`)
      t.match(await adapter.read('k'), { value: 3, replaced: undefined, digest: undefined })
    })
  }

  await t.test('where keeping the last write moves the version, the answer has the version behind it, and nothing holds', async (t) => {
    const table = await itemsTable(t, pool, undefined, 'any update')
    const adapter = itemsAdapter(pool, table.name, undefined, 'any update')
    for (const expectation of [ABSENT, EXISTS]) {
      const { version } = await adapter.write('k', 0, expectation, { digest: 'd' }) as { version: string }
      t.match(await adapter.read('k'), { version, replaced: undefined, digest: undefined })
      t.match(await adapter.transaction('k', versionIn(version), async (tx: pg.PoolClient) => {
        await table.addPart(tx, 'k', 'a')
      }, { digest: 'd' }), { applied: true })
    }
  })

  await t.test('a transaction that joins that of the app keeps its digest, and loses it with the whole', async (t) => {
    const table = await itemsTable(t, pool)
    const adapter = itemsAdapter(pool, table.name, undefined, 'table')
    await adapter.write('k', 0, ABSENT, { digest: 'earlier' })
    const before = await adapter.read('k')
    for (const end of ['ROLLBACK', 'COMMIT']) {
      const client = await pool.connect()
      await client.query('BEGIN')
      const context = { client }
      const work = async (tx: pg.PoolClient) => await table.addPart(tx, 'k', end)
      t.match(await adapter.transaction('k', EXISTS, work, { context, digest: end }), { applied: true })
      t.match(await adapter.read('k', { context }), { replaced: before!.version, digest: end })
      t.match(await adapter.write('k', 1, ABSENT, { context }), { current: { replaced: before!.version, digest: end } })
      await client.query(end)
      client.release()
      t.equal((await adapter.read('k'))?.digest, end === 'COMMIT' ? end : 'earlier')
    }
  })

  await t.test('a work that catches the error of a statement is STORAGE_FAULT, because the server has rolled back; behind a savepoint it goes on', async (t) => {
    const table = await itemsTable(t, pool)
    const adapter = itemsAdapter(pool, table.name)
    await adapter.write('k', 1, ABSENT)
    const work = (savepoint: boolean) => async (tx: pg.PoolClient) => {
      await adapter.write('k', 2, EXISTS, { context: { client: tx } })
      if (savepoint) await tx.query('SAVEPOINT s')
      await tx.query(`INSERT INTO ${table.name} (id, value) VALUES ('k', '0')`).catch(() => {})
      if (savepoint) await tx.query('ROLLBACK TO s')
    }
    await t.rejects(adapter.transaction('k', EXISTS, work(false)), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.equal((await adapter.read('k'))?.value, 1)
    t.match(await adapter.transaction('k', EXISTS, work(true)), { applied: true })
    t.equal((await adapter.read('k'))?.value, 2)
  })

  await t.test('a connection that is lost while the work runs is UNAVAILABLE, nothing is stored, and the pool goes on', async (t) => {
    const table = await itemsTable(t, pool)
    const own = poolTo(t, url, { max: 1 })
    const adapter = itemsAdapter(own, table.name)
    await adapter.write('k', 1, ABSENT)
    await t.rejects(adapter.transaction('k', EXISTS, async (tx: pg.PoolClient) => {
      await adapter.write('k', 2, EXISTS, { context: { client: tx } })
      const { rows: [{ pid }] } = await tx.query('SELECT pg_backend_pid() AS pid')
      await pool.query('SELECT pg_terminate_backend($1)', [pid])
      await tx.query('SELECT 1')
    }), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    t.equal((await adapter.read('k'))?.value, 1)
    t.match(await adapter.write('k', 3, EXISTS), { applied: true })
  })

  await t.test('pgTransaction does not begin on a connection that was left inside a transaction, and gives its own back idle', async (t) => {
    const table = await itemsTable(t, pool)
    const own = poolTo(t, url, { max: 1 })
    const left = await own.connect()
    await left.query('BEGIN')
    await left.query(`INSERT INTO ${table.name} (id, value) VALUES ('lost', '0')`)
    left.release()
    const adapter = itemsAdapter(own, table.name)
    t.match(await warningsOf(async () => { await adapter.write('k', 1, ABSENT) }), [
      { code: 'FST_IF_MATCH_POSTGRES_OPEN_TRANSACTION' }
    ])
    t.strictSame([await adapter.read('lost'), (await adapter.read('k'))?.value], [undefined, 1])
    for (const work of [async () => 'done', async () => { throw new Error('rolled back') }]) {
      await pgTransaction<pg.PoolClient>(own)(work).catch(() => {})
      const client = await own.connect()
      t.equal((client as unknown as { getTransactionStatus (): string }).getTransactionStatus(), 'I')
      client.release()
    }
    t.equal(own.totalCount, 1, 'both were kept')
  })

  await t.test('pgTransaction rejects where COMMIT is answered with ROLLBACK', async (t) => {
    const work = async (tx: pg.PoolClient) => { await tx.query('SELECT 1 / 0').catch(() => {}) }
    await t.rejects(pgTransaction<pg.PoolClient>(pool)(work), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
  })
})
