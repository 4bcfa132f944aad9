import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { Work } from 'fastify-if-match/storage'
import { ABSENT, EXISTS } from '../../test/support/expectations.js'
import { startPostgres } from '../../test/support/services/postgres.js'
import { skipWithout } from '../../test/support/services/programs.js'
import { until } from '../../test/support/until.js'
import type { Order } from '../order.js'
import { handlerCase } from '../support/orders/handler-case.js'
import { nextId } from '../support/orders/ids.js'
import { newDatabase } from '../support/orders/postgres.js'
import { wave } from '../support/orders/transaction-cases.js'
import { ordersAdapter } from './orders-adapter.js'
import { addQuantities } from './orders-routes.js'
import type { Schema } from './orders-schema.js'

// Shows what the guide says of Kysely. If a later version behaves otherwise, the guide has to change.

type Tx = Transaction<Schema>
interface Others { numbers: { n: string }, moments: { at: Date } }

const apple = { sku: 'apple', quantity: 9 } // the order has such a line

await t.test('Kysely over pg', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const store = await newDatabase(t, url)

  function connect (t: Test) {
    const pool = new pg.Pool({ connectionString: store.address })
    pool.on('error', () => {}).on('connect', (connection) => connection.on('error', () => {}))
    const sent: string[] = []
    const db = new Kysely<Schema & Others>({
      dialect: new PostgresDialect({ pool }),
      log: ({ query }) => { sent.push(query.sql) }
    })
    t.teardown(async () => { await db.destroy() })
    return { pool, db, sent }
  }

  async function open (t: Test) {
    const { db, sent } = connect(t)
    const adapter = ordersAdapter(db as unknown as Kysely<Schema>)
    const id = nextId()
    const key = `/orders/${id}`
    await adapter.write(key, wave, ABSENT)
    sent.length = 0
    return {
      db,
      sent,
      adapter,
      id,
      key,
      read: async () => (await adapter.read(key))?.value,
      run: async (work: Work<Order, unknown, Tx>) =>
        await adapter.transaction(key, EXISTS, work).catch((error: unknown) => error)
    }
  }

  const renamed = (tx: Tx, id: number) => tx.updateTable('orders').set({ customer: 'Other' }).where('id', '=', id)

  await t.test('a handler with transaction() changes one line: 200 with a new tag, then 412; 422 without such a line', async (t) => {
    const { adapter, key } = await open(t)
    await handlerCase(t, adapter, key, addQuantities)
  })

  await t.test('jsonArrayFrom() reads an order and its lines in one statement', async (t) => {
    const { read, sent } = await open(t)
    t.strictSame(await read(), wave)
    t.equal(sent.length, 1)
  })

  await t.test('an empty list is rendered as IN (), and an insert of no rows without a row: both are syntax errors', async (t) => {
    const { db } = connect(t)
    const nothing = db.selectFrom('orders').selectAll().where('id', 'in', [])
    t.match(nothing.compile().sql, / in \(\)$/)
    await t.rejects(nothing.execute(), { code: '42601' })
    const noRows = db.insertInto('lines').values([])
    t.match(noRows.compile().sql, /^insert into "lines" \(\) values *$/)
    await t.rejects(noRows.execute(), { code: '42601' })
  })

  await t.test('the SQLSTATE is that of the error itself', async (t) => {
    const { db, id } = await open(t)
    await t.rejects(db.insertInto('orders').values({ id, customer: 'Twice', note: null }).execute(), { code: '23505' })
  })

  await t.test('a count of rows is a bigint: 0n for an update that met none, and for an insert that did nothing', async (t) => {
    const { db, id } = await open(t)
    const change = db.updateTable('orders').set({ customer: 'x' }).where('id', '=', -1)
    const { numUpdatedRows } = await change.executeTakeFirst()
    t.equal(numUpdatedRows, 0n)
    const insert = db.insertInto('orders').values({ id, customer: 'x', note: null })
    const { numInsertedOrUpdatedRows } = await insert.onConflict((on) => on.doNothing()).executeTakeFirst()
    t.equal(numInsertedOrUpdatedRows, 0n)
  })

  await t.test('a bigint is a text with all of its digits, and a rounded number in jsonArrayFrom()', async (t) => {
    const { db } = connect(t)
    await store.act('CREATE TABLE numbers AS SELECT 9007199254740993::bigint AS n')
    t.strictSame(await db.selectFrom('numbers').select('n').execute(), [{ n: '9007199254740993' }])
    const nested = db.selectNoFrom((of) => jsonArrayFrom(of.selectFrom('numbers').select('n')).as('rows'))
    t.strictSame(await nested.execute(), [{ rows: [{ n: 2 ** 53 }] }])
  })

  await t.test('a timestamp is a Date, of milliseconds alone: two versions are one', async (t) => {
    const { db } = connect(t)
    await store.act("CREATE TABLE moments AS SELECT '2026-01-01 00:00:00'::timestamptz + i * interval '1 us' AS at " +
      'FROM generate_series(1, 2) AS i')
    const moments = await db.selectFrom('moments').select('at').execute()
    t.strictSame(moments.map(({ at }) => at.getTime()), [Date.UTC(2026), Date.UTC(2026)])
  })

  await t.test('a statement without execute() is not sent; a work of such statements alone is VERSION_UNCHANGED', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => { renamed(tx, id) }), { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    t.strictSame(await read(), wave)
  })

  await t.test('a work that goes on behind a statement that failed is STORAGE_FAULT, and nothing is stored', async (t) => {
    const { db, run, read, id } = await open(t)
    const work = async (tx: Tx) => {
      await renamed(tx, id).execute()
      await tx.insertInto('lines').values({ order_id: id, position: 99, ...apple }).execute().catch(() => {})
    }
    t.match(await run(work), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    await t.rejects(db.transaction().execute(async (tx) => { await work(tx as unknown as Tx) }), {
      name: 'AbortedTransactionError'
    })
    t.strictSame(await read(), wave)
  })

  await t.test('transaction() of tx throws, and the work with it', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await renamed(tx, id).execute()
      await tx.transaction().execute(async () => {})
    }), { message: /not supported/ })
    t.strictSame(await read(), wave)
  })

  await t.test('db in place of tx, inside of a work, waits for the lock of its own transaction until somebody cancels it', async (t) => {
    const { db, run, read, id } = await open(t)
    const cancelled = until('it waits', async () => (await store.rows(`SELECT pg_cancel_backend(pid)
      FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).length > 0)
    t.match(await run(async () => await renamed(db as unknown as Tx, id).execute()), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
    })
    await cancelled
    t.strictSame(await read(), wave)
  })

  await t.test('a transaction has the isolation level that it is given', async (t) => {
    const { db, sent } = connect(t)
    await db.transaction().setIsolationLevel('serializable').execute(async () => {})
    t.match(sent[0], /isolation level serializable/)
  })

  await t.test('a connection inside of a transaction has no listener for its errors, unless the app adds one', async (t) => {
    const pool = new pg.Pool({ connectionString: store.address })
    const db = new Kysely({ dialect: new PostgresDialect({ pool }) })
    t.teardown(async () => { await db.destroy() })
    let connection: pg.PoolClient | undefined
    pool.on('acquire', (taken) => { connection = taken })
    await db.transaction().execute(async () => { t.equal(connection?.listenerCount('error'), 0) })
  })
})
