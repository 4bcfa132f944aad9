import { eq, relations, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { bigint, pgTable, timestamp } from 'drizzle-orm/pg-core'
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
import { ordersAdapter, type Tx } from './orders-adapter.js'
import { addQuantities } from './orders-routes.js'
import * as schema from './orders-schema.js'

// Shows what the guide says of Drizzle. If a later version behaves otherwise, the guide has to change.

const { orders, lines } = schema
const apple = { sku: 'apple', quantity: 9 } // the order has such a line

await t.test('Drizzle over pg', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const store = await newDatabase(t, url)

  function connect (t: Test, max?: number) {
    const pool = new pg.Pool({ connectionString: store.address, max })
    pool.on('error', () => {}).on('connect', (connection) => connection.on('error', () => {}))
    t.teardown(async () => { await pool.end() })
    const sent: string[] = []
    const logger = { logQuery: (query: string) => { sent.push(query) } }
    return { pool, db: drizzle({ client: pool, schema, logger }), sent }
  }

  async function open (t: Test, max?: number) {
    const { pool, db, sent } = connect(t, max)
    const adapter = ordersAdapter(pool)
    const id = nextId()
    const key = `/orders/${id}`
    await adapter.write(key, wave, ABSENT)
    return {
      pool,
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

  await t.test('a handler with transaction() changes one line: 200 with a new tag, then 412; 422 without such a line', async (t) => {
    const { adapter, key } = await open(t)
    await handlerCase(t, adapter, key, addQuantities)
  })

  await t.test('a relational query is one statement, however many tables it reads', async (t) => {
    const { db, sent, id } = await open(t)
    await db.query.orders.findFirst({ where: eq(orders.id, id), with: { lines: true } })
    t.equal(sent.length, 1)
  })

  await t.test('an insert of no rows is refused by Drizzle itself', async (t) => {
    const { db } = connect(t)
    t.throws(() => db.insert(lines).values([]), { message: /at least one value/ })
  })

  await t.test('the SQLSTATE is that of the cause', async (t) => {
    const { db, id } = await open(t)
    await t.rejects(db.insert(orders).values({ id, customer: 'Twice' }), { cause: { code: '23505' } })
  })

  await t.test('a count of rows is that of returning(): 0 for an update that met none, and for an insert that did nothing', async (t) => {
    const { db, id } = await open(t)
    t.strictSame(await db.update(orders).set({ customer: 'x' }).where(eq(orders.id, -1)).returning(), [])
    t.strictSame(await db.insert(orders).values({ id, customer: 'x' }).onConflictDoNothing().returning(), [])
  })

  await t.test('a bigint in the mode "number" is rounded: two versions are one. In the mode "bigint" they are not', async (t) => {
    const { db } = connect(t)
    const read = async (mode: 'number' | 'bigint') => {
      const numbers = pgTable('numbers', { n: bigint({ mode: mode as 'bigint' }) })
      return (await db.select({ n: numbers.n }).from(numbers).orderBy(numbers.n)).map(({ n }) => n)
    }
    await store.act('CREATE TABLE numbers AS SELECT n FROM generate_series(9007199254740992, 9007199254740993) AS n')
    t.strictSame(await read('number'), [2 ** 53, 2 ** 53])
    t.strictSame(await read('bigint'), [9007199254740992n, 9007199254740993n])
  })

  await t.test('a bigint of a child row is rounded by a relational query in any mode, because the rows come as JSON', async (t) => {
    const { db } = connect(t)
    const parents = pgTable('parents', { id: bigint({ mode: 'bigint' }).primaryKey() })
    const children = pgTable('children', {
      parent: bigint({ mode: 'bigint' }).primaryKey(),
      n: bigint({ mode: 'bigint' })
    })
    await store.act('CREATE TABLE parents AS SELECT 1::bigint AS id; ' +
      'CREATE TABLE children AS SELECT 1::bigint AS parent, 9007199254740993::bigint AS n')
    const own = drizzle({
      client: db.$client,
      schema: {
        parents,
        children,
        ofParents: relations(parents, ({ many }) => ({ children: many(children) })),
        ofChildren: relations(children, ({ one }) => ({
          parent: one(parents, { fields: [children.parent], references: [parents.id] })
        }))
      }
    })
    const found = await own.query.parents.findFirst({ with: { children: { columns: { n: true } } } })
    t.strictSame(found?.children, [{ n: 9007199254740992n }])
  })

  await t.test('a timestamp in the mode "date" has milliseconds alone: two versions are one. In the mode "string" they are not', async (t) => {
    const { db } = connect(t)
    await store.act("CREATE TABLE moments AS SELECT '2026-01-01 00:00:00'::timestamptz + i * interval '1 us' AS at " +
      'FROM generate_series(1, 2) AS i')
    const read = async (mode: 'date' | 'string') => {
      const moments = pgTable('moments', { at: timestamp({ mode: mode as 'string', withTimezone: true }) })
      return new Set((await db.select().from(moments)).map(({ at }) => String(at))).size
    }
    t.equal(await read('date'), 1)
    t.equal(await read('string'), 2)
  })

  await t.test('a statement that nobody awaits is not sent; a work of such statements alone is VERSION_UNCHANGED', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      void tx.update(orders).set({ customer: 'Other' }).where(eq(orders.id, id))
    }), { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    t.strictSame(await read(), wave)
  })

  await t.test('a work that goes on behind a statement that failed is STORAGE_FAULT; transaction() of Drizzle alone acknowledges what COMMIT rolled back', async (t) => {
    const { db, run, read, id } = await open(t)
    const work = async (tx: Tx) => {
      await tx.update(orders).set({ customer: 'Other' }).where(eq(orders.id, id))
      await tx.insert(lines).values({ orderId: id, position: 99, ...apple }).catch(() => {})
      return 'done'
    }
    t.match(await run(work), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.equal(await db.transaction(work), 'done')
    t.strictSame(await read(), wave)
  })

  await t.test('transaction() of tx is a savepoint: what fails in it is undone, and the rest is stored', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await tx.update(orders).set({ customer: 'Other' }).where(eq(orders.id, id))
      const inner = tx.transaction(async (tx) => {
        await tx.update(orders).set({ note: 'inner' }).where(eq(orders.id, id))
        await tx.insert(lines).values({ orderId: id, position: 99, ...apple })
      })
      await t.rejects(inner, { cause: { code: '23505' } })
    }), { applied: true })
    t.strictSame(await read(), { ...wave, customer: 'Other' })
  })

  await t.test('rollback() of tx throws: the work fails with it, and nothing is stored', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await tx.update(orders).set({ customer: 'Other' }).where(eq(orders.id, id))
      tx.rollback()
    }), { message: 'Rollback' })
    t.strictSame(await read(), wave)
  })

  await t.test('db in place of tx, inside of a work, waits for the lock of its own transaction until somebody cancels it', async (t) => {
    const { db, run, read, id } = await open(t)
    const cancelled = until('it waits', async () => (await store.rows(`SELECT pg_cancel_backend(pid)
      FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).length > 0)
    t.match(await run(async () => await db.update(orders).set({ customer: 'Other' }).where(eq(orders.id, id))), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
    })
    await cancelled
    t.strictSame(await read(), wave)
  })

  await t.test('a transaction has the isolation level that it is given', async (t) => {
    const { db } = connect(t)
    const level = await db.transaction(async (tx) => (await tx.execute(sql`SHOW transaction_isolation`)).rows, {
      isolationLevel: 'serializable'
    })
    t.strictSame(level, [{ transaction_isolation: 'serializable' }])
  })

  await t.test('transaction() keeps the connection if BEGIN fails, and gives one back that is still in a transaction; the adapter does neither', async (t) => {
    const fails = (pool: pg.Pool, beginning: string) => {
      const query = pg.Client.prototype.query as (...args: unknown[]) => unknown
      pool.on('connect', (connection) => {
        connection.query = ((...args: [{ text?: string }]) => Object(args[0]).text?.startsWith(beginning) === true
          ? Promise.reject(new Error('Query read timeout'))
          : query.apply(connection, args)) as typeof connection.query
      })
    }
    const work = async (tx: Tx) => {
      await tx.execute(sql`SELECT 1`)
      throw new Error('of the work')
    }
    const states = async (beginning: string, by: 'drizzle' | 'adapter') => {
      const pool = new pg.Pool({ connectionString: store.address, max: 1 })
      let connection: pg.PoolClient | undefined
      pool.on('connect', (made) => { connection = made.on('error', () => {}) })
      fails(pool, beginning)
      if (by === 'drizzle') await t.rejects(drizzle({ client: pool, schema }).transaction(work))
      else await t.rejects(ordersAdapter(pool).transaction('/orders/1', { kind: 'any' }, work))
      const found = { connections: pool.totalCount, idle: pool.idleCount }
      await (connection as unknown as pg.Client).end()
      return found
    }
    t.strictSame(await states('begin', 'drizzle'), { connections: 1, idle: 0 })
    t.strictSame(await states('rollback', 'drizzle'), { connections: 1, idle: 1 })
    t.strictSame(await states('begin', 'adapter'), { connections: 0, idle: 0 })
    t.strictSame(await states('rollback', 'adapter'), { connections: 0, idle: 0 })
  })

  await t.test('a connection inside of a transaction has no listener for its errors, unless the app adds one', async (t) => {
    const pool = new pg.Pool({ connectionString: store.address })
    t.teardown(async () => { await pool.end() })
    let connection: pg.PoolClient | undefined
    pool.on('acquire', (taken) => { connection = taken })
    await drizzle({ client: pool }).transaction(async () => { t.equal(connection?.listenerCount('error'), 0) })
  })
})
