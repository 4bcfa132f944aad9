import { join } from 'node:path'
import { inspect } from 'node:util'
import Database from 'better-sqlite3'
import knex, { type Knex } from 'knex'
import t, { type Test } from 'tap'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import type { Work } from 'fastify-if-match/storage'
import { ABSENT, ANY, EXISTS } from '../../test/support/expectations.js'
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

// Shows what the guide says of Knex. If a later version behaves otherwise, the guide has to change.

const apple = { sku: 'apple', quantity: 9 } // the order has such a line

await t.test('Knex over pg', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const store = await newDatabase(t, url)

  async function open (t: Test, config: Knex.Config = {}) {
    const db = knex({ client: 'pg', connection: store.address, ...config })
    t.teardown(async () => { await db.destroy() })
    const sent: string[] = []
    db.on('query', ({ sql }) => { sent.push(sql) })
    const adapter = ordersAdapter(db)
    const id = nextId()
    const key = `/orders/${id}`
    await adapter.write(key, wave, ABSENT)
    return {
      db,
      sent,
      adapter,
      id,
      key,
      read: async () => (await adapter.read(key))?.value,
      run: async (work: Work<Order, unknown, Knex.Transaction>) =>
        await adapter.transaction(key, EXISTS, work).catch((error: unknown) => error)
    }
  }

  await t.test('a handler with transaction() changes one line: 200 with a new tag, then 412; 422 without such a line', async (t) => {
    const { adapter, key } = await open(t)
    await handlerCase(t, adapter, key, addQuantities)
  })

  await t.test('a read with a join is one statement, and a bigint is a text with all of its digits', async (t) => {
    const { adapter, db, key, sent } = await open(t)
    sent.length = 0
    await adapter.read(key)
    t.equal(sent.length, 1)
    t.strictSame(await db.select(db.raw('9007199254740993::bigint AS n')), [{ n: '9007199254740993' }])
  })

  await t.test('update() and delete() give a count, and an insert none: rows of returning(), empty if it did nothing', async (t) => {
    const { db, id } = await open(t)
    t.equal(await db('orders').where({ id }).update({ note: 'a' }), 1)
    t.equal(await db('orders').where({ id: -1 }).update({ note: 'a' }), 0)
    t.equal(await db('orders').where({ id: -1 }).delete(), 0)
    const insert = () => db('orders').insert({ id, customer: 'x' }).onConflict('id').ignore()
    t.equal((await insert() as unknown as { rowCount: number }).rowCount, 0, 'the result of pg itself')
    t.strictSame(await insert().returning('id'), [])
  })

  await t.test('an insert of no rows is refused by Knex itself, and the transaction goes on', async (t) => {
    const { db, read, run, id } = await open(t)
    await t.rejects(Promise.resolve(db('lines').insert([])), { message: 'The query is empty' })
    t.match(await run(async (tx) => {
      await tx('lines').insert([]).then(undefined, () => {})
      await tx('orders').where({ id }).update({ customer: 'Other' })
    }), { applied: true })
    t.match(await read(), { customer: 'Other' })
  })

  await t.test('the SQLSTATE is that of the error itself, and its message begins with the statement', async (t) => {
    const { db, id } = await open(t)
    await t.rejects(Promise.resolve(db('orders').insert({ id, customer: 'Twice' })), {
      code: '23505',
      message: /^insert into "orders" .* - duplicate key value/
    })
  })

  await t.test('a statement that nobody awaits is not sent; a work of such statements alone is VERSION_UNCHANGED', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => { void tx('orders').where({ id }).update({ customer: 'Other' }) }), {
      code: 'FST_IF_MATCH_VERSION_UNCHANGED'
    })
    t.strictSame(await read(), wave)
  })

  await t.test('a statement that is sent after the work is refused by Knex, and changes nothing', async (t) => {
    const { run, read, id } = await open(t)
    let late: Knex | undefined
    await run(async (tx) => {
      late = tx
      await tx('orders').where({ id }).update({ customer: 'Other' })
    })
    await t.rejects(Promise.resolve(late!('orders').where({ id }).update({ customer: 'Late' })), {
      message: /Transaction query already complete/
    })
    t.match(await read(), { customer: 'Other' })
  })

  await t.test('transaction() with a work that is not awaited commits before its statements: they are refused, and the adapter says VERSION_UNCHANGED', async (t) => {
    const { run, read, id } = await open(t)
    let late: Promise<unknown> | undefined
    t.match(await run(async (tx, current) => {
      late = (async () => {
        await current.read()
        await until('the transaction is over', () => tx.isCompleted())
        await tx('orders').where({ id }).update({ customer: 'Late' })
      })()
      late.catch(() => {}) // it may reject ahead of the transaction, whose end the test awaits first
    }), { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    await t.rejects(late!, { message: /Transaction query already complete/ })
    t.strictSame(await read(), wave)
  })

  await t.test('transaction() without a work commits nothing by itself: the work never runs, and the adapter says so', async (t) => {
    const { db, id, read } = await open(t)
    let begun: Knex.Transaction | undefined
    const adapter = transactionsAdapter<Order, Knex, Knex.Transaction, number>({
      client: db,
      transaction: async () => { begun = await db.transaction() },
      toId: () => id,
      version: async () => '1',
      read: async () => undefined,
      save () {}
    })
    await t.rejects(adapter.write('/orders/1', wave, ANY), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    await begun!.rollback()
    t.strictSame(await read(), wave)
  })

  await t.test('a work that goes on behind a statement that failed is STORAGE_FAULT; transaction() of Knex alone acknowledges what COMMIT rolled back', async (t) => {
    const { db, run, read, id } = await open(t)
    const work = async (tx: Knex.Transaction) => {
      await tx('orders').where({ id }).update({ customer: 'Other' })
      await tx('lines').insert({ order_id: id, position: 99, ...apple }).then(undefined, () => {})
      return 'done'
    }
    t.match(await run(work), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.equal(await db.transaction(work), 'done')
    t.strictSame(await read(), wave)
  })

  await t.test('transaction() of tx is a savepoint: what fails in it is undone, and the rest is stored', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await tx('orders').where({ id }).update({ customer: 'Other' })
      await t.rejects(tx.transaction(async (tx) => {
        await tx('orders').where({ id }).update({ note: 'inner' })
        await tx('lines').insert({ order_id: id, position: 99, ...apple })
      }), { code: '23505' })
    }), { applied: true })
    t.strictSame(await read(), { ...wave, customer: 'Other' })
  })

  await t.test('rollback() of tx inside of a work is STORAGE_FAULT, and nothing is stored', async (t) => {
    const { run, read, id } = await open(t)
    const outcome = await run(async (tx) => {
      await tx('orders').where({ id }).update({ customer: 'Other' })
      await tx.rollback()
    })
    t.match(outcome, { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.strictSame(await read(), wave)
  })

  await t.test('commit() of tx inside of a work is STORAGE_FAULT, although the work is stored', async (t) => {
    const { run, read, id } = await open(t)
    const outcome = await run(async (tx) => {
      await tx('orders').where({ id }).update({ customer: 'Other' })
      await tx.commit()
    })
    t.match(outcome, { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.match(await read(), { customer: 'Other' })
  })

  await t.test('db in place of tx, inside of a work, waits for the lock of its own transaction until somebody cancels it', async (t) => {
    const { db, run, read, id } = await open(t)
    const cancelled = until('it waits', async () => (await store.rows(`SELECT pg_cancel_backend(pid)
      FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).length > 0)
    t.match(await run(async () => await db('orders').where({ id }).update({ customer: 'Other' })), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
    })
    await cancelled
    t.strictSame(await read(), wave)
  })

  await t.test('db in place of tx, with no connection left, waits for acquireConnectionTimeout: nothing is stored', async (t) => {
    const { db, run, read, id } = await open(t, { pool: { min: 0, max: 1 }, acquireConnectionTimeout: 1000 })
    const outcome = await run(async (tx) => {
      await tx('orders').where({ id }).update({ customer: 'Other' })
      await db('orders').where({ id }).first()
    })
    t.match(outcome, { name: 'KnexTimeoutError' })
    t.strictSame(await read(), wave)
  })

  await t.test('a pool without a free connection is STORAGE_UNAVAILABLE, for a write and for a read', async (t) => {
    const { db, adapter, key } = await open(t, { pool: { min: 0, max: 1 }, acquireConnectionTimeout: 1000 })
    const taken = await db.transaction()
    const unavailable = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
    await t.rejects(adapter.write(key, wave, EXISTS), unavailable)
    await t.rejects(adapter.read(key), unavailable)
    await taken.rollback()
  })

  await t.test('a transaction has the isolation level that it is given', async (t) => {
    const { db } = await open(t)
    const level = await db.transaction(async (tx) => (await tx.raw('SHOW transaction_isolation')).rows, {
      isolationLevel: 'serializable'
    })
    t.strictSame(level, [{ transaction_isolation: 'serializable' }])
  })
})

await t.test('Knex over better-sqlite3', async (t) => {
  function open (t: Test) {
    const filename = join(t.testdir(), 'a.db')
    const other = new Database(filename)
    t.teardown(() => { other.close() })
    other.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE); INSERT INTO notes VALUES (1, 'a')")
    let handle: Database.Database | undefined
    const db = knex({
      client: 'better-sqlite3',
      connection: { filename },
      useNullAsDefault: true,
      pool: {
        afterCreate (made: Database.Database, done: (error: unknown, made: unknown) => void) {
          handle = made
          made.pragma('busy_timeout = 0')
          done(null, made)
        }
      }
    })
    t.teardown(async () => { await db.destroy() })
    return { db, other, isInTransaction: () => handle!.inTransaction }
  }

  await t.test('a COMMIT that a reader of the file refuses leaves the transaction open on the one connection', async (t) => {
    const { db, other, isInTransaction } = open(t)
    other.exec('BEGIN')
    other.prepare('SELECT * FROM notes').all()
    await t.rejects(db.transaction(async (tx) => await tx('notes').where({ id: 1 }).update({ text: 'b' })), {
      code: 'SQLITE_BUSY'
    })
    t.ok(isInTransaction())
    other.exec('COMMIT')
    t.strictSame(await db('notes').select(), [{ id: 1, text: 'b' }], 'read, and never committed')
    await t.rejects(db.transaction(async () => {}), { message: /cannot start a transaction within a transaction/ })
    await db.destroy()
    t.strictSame(other.prepare('SELECT * FROM notes').all(), [{ id: 1, text: 'a' }])
  })

  await t.test('the message of an error quotes values; what the adapter throws for it does not', async (t) => {
    const { db } = open(t)
    const adapter = transactionsAdapter<string, Knex, Knex.Transaction>({
      client: db,
      transaction: (work) => db.transaction(work),
      toId: (key) => key,
      version: () => undefined,
      read: () => undefined,
      save: async (tx, _key, text) => await tx('notes').insert([{ text }, { text }])
    })
    const insert = db('notes').insert([{ text: 'secret' }, { text: 'secret' }])
    await t.rejects(Promise.resolve(insert), { message: /secret/ })
    const error = await adapter.write('a', 'secret', ABSENT).catch((error: unknown) => error)
    t.match(error, { code: 'FST_IF_MATCH_CONSTRAINT' })
    t.notMatch(inspect(error, { depth: null }), /secret/)
  })
})
