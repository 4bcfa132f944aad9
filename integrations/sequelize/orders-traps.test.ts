import { inspect } from 'node:util'
import { DataTypes, Sequelize, type Options, type Transaction } from 'sequelize'
import t, { type Test } from 'tap'
import type { Work } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { barrier, type Barrier } from '../../test/support/barrier.js'
import { ABSENT, EXISTS } from '../../test/support/expectations.js'
import { startPostgres } from '../../test/support/services/postgres.js'
import { startProxy } from '../../test/support/services/proxy.js'
import { skipWithout } from '../../test/support/services/programs.js'
import { until } from '../../test/support/until.js'
import type { Order } from '../order.js'
import { handlerCase } from '../support/orders/handler-case.js'
import { nextId } from '../support/orders/ids.js'
import { newDatabase } from '../support/orders/postgres.js'
import { wave } from '../support/orders/transaction-cases.js'
import { ordersAdapter } from './orders-adapter.js'
import { addQuantities } from './orders-routes.js'
import { define } from './orders-schema.js'

// Shows what the guide says of Sequelize. If a later version behaves otherwise, the guide has to change.

const apple = { sku: 'apple', quantity: 9 } // the order has such a line

await t.test('Sequelize over pg', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const store = await newDatabase(t, url)

  async function open (t: Test, options: Options = {}, address = store.address) {
    const sent: string[] = []
    const db = new Sequelize(address, { dialect: 'postgres', logging: (sql) => { sent.push(sql) }, ...options })
    t.teardown(async () => { await db.close() })
    const models = define(db)
    const adapter = ordersAdapter(db, models)
    const id = nextId()
    const key = `/orders/${id}`
    await adapter.write(key, wave, ABSENT)
    sent.length = 0
    return {
      ...models,
      models,
      db,
      sent,
      adapter,
      id,
      key,
      read: async () => (await adapter.read(key))?.value,
      run: async (work: Work<Order, unknown, Transaction>) =>
        await adapter.transaction(key, EXISTS, work).catch((error: unknown) => error)
    }
  }

  await t.test('a handler with transaction() changes one line: 200 with a new tag, then 412; 422 without such a line', async (t) => {
    const { adapter, key, models } = await open(t)
    await handlerCase(t, adapter, key, (app) => { addQuantities(app, models) })
  })

  await t.test('an include is one statement, also behind a lock or a limit; with "separate" it is two, the version first', async (t) => {
    const { Orders, id, sent } = await open(t)
    await Orders.findByPk(id, { include: 'lines' })
    t.equal(sent.splice(0).length, 1)
    await Orders.findOne({ where: { id }, include: 'lines', limit: 1 })
    t.equal(sent.splice(0).length, 1)
    await Orders.findByPk(id, { include: { association: 'lines', separate: true } })
    t.match(sent, [/FROM "orders"/, /FROM "lines"/])
  })

  await t.test('a lock with an include is refused by PostgreSQL, unless it is of the order alone', async (t) => {
    const { Orders, db, id } = await open(t)
    await db.transaction(async (transaction) => {
      const lock = { level: transaction.LOCK.UPDATE, of: Orders }
      t.ok(await Orders.findByPk(id, { include: 'lines', transaction, lock }))
    })
    const all = db.transaction(async (transaction) =>
      await Orders.findByPk(id, { include: 'lines', transaction, lock: transaction.LOCK.UPDATE }))
    await t.rejects(all, { message: /FOR UPDATE cannot be applied to the nullable side of an outer join/ })
  })

  await t.test('a lock without { transaction } ends with its statement', async (t) => {
    const { Orders, id, sent } = await open(t)
    await Orders.findByPk(id, { lock: true })
    t.match(sent, [/FOR UPDATE/])
    await store.act(`UPDATE orders SET note = 'a' WHERE id = ${id}`)
    t.match(await Orders.findByPk(id), { note: 'a' })
  })

  await t.test('a version function that forgets { transaction } sees no change of the work: each write is VERSION_UNCHANGED', async (t) => {
    const { Orders, db, adapter, id, key, read } = await open(t)
    const forgetful = transactionsAdapter<Order, Sequelize, Transaction, number>({
      client: db,
      transaction: (work) => db.transaction(work),
      toId: () => id,
      version: async () => (await Orders.findByPk(id))?.rowVersion,
      read: async () => await adapter.read(key),
      save: async (transaction, _id, { customer }) => await Orders.update({ customer }, { where: { id }, transaction })
    })
    await t.rejects(forgetful.write(key, { ...wave, customer: 'Other' }, EXISTS), {
      code: 'FST_IF_MATCH_VERSION_UNCHANGED'
    })
    t.strictSame(await read(), wave)
  })

  await t.test('a bigint is a text with all of its digits', async (t) => {
    const { Orders, id } = await open(t)
    await store.act('ALTER SEQUENCE row_versions RESTART WITH 9007199254740993')
    await store.act(`UPDATE orders SET note = 'a' WHERE id = ${id}`)
    t.equal((await Orders.findByPk(id))?.rowVersion, '9007199254740993')
  })

  await t.test('update() and destroy() count rows; bulkCreate with ignoreDuplicates gives an instance for a row that it dropped, and upsert tells nothing', async (t) => {
    const { Orders, id } = await open(t)
    t.strictSame(await Orders.update({ note: 'a' }, { where: { id } }), [1])
    t.strictSame(await Orders.update({ note: 'a' }, { where: { id: -1 } }), [0])
    t.equal(await Orders.destroy({ where: { id: -1 } }), 0)
    const dropped = await Orders.bulkCreate([{ id, customer: 'Dropped', note: null }], { ignoreDuplicates: true })
    t.match(dropped, [{ id, customer: 'Dropped', isNewRecord: false }])
    t.match(await Orders.findByPk(id), { customer: wave.customer })
    const [, created] = await Orders.upsert({ id, customer: 'Upserted', note: null })
    t.equal(created, null)
  })

  await t.test('save() writes what changed by the id alone: the change of another is lost', async (t) => {
    const { Orders, id, sent } = await open(t)
    const mine = await Orders.findByPk(id)
    await store.act(`UPDATE orders SET customer = 'Theirs' WHERE id = ${id}`)
    sent.length = 0
    await mine!.update({ customer: 'Mine' })
    t.match(sent[0], /^Executing \(default\): UPDATE "orders" SET "customer"=\$1 WHERE "id" = \$2/)
    t.match(await Orders.findByPk(id), { customer: 'Mine' })
    sent.length = 0
    await mine!.save()
    t.strictSame(sent, [], 'nothing changed, so nothing is sent')
  })

  await t.test('the option version of a model is a counter that update() of a model passes by, and after a removal an old number fits again', async (t) => {
    const { db } = await open(t)
    const Counted = db.define('counted', { id: { type: DataTypes.INTEGER, primaryKey: true }, text: DataTypes.TEXT }, {
      timestamps: false,
      freezeTableName: true,
      version: true
    })
    await Counted.sync()
    const versionOf = async () => (await Counted.findByPk(1))?.get('version')
    await Counted.create({ id: 1, text: 'a' })
    const stale = await Counted.findByPk(1)
    await Counted.update({ text: 'b' }, { where: { id: 1 } })
    t.equal(await versionOf(), 0, 'another state under the same number')
    await stale!.update({ text: 'c' })
    t.equal(await versionOf(), 1, 'the change was lost')
    await Counted.destroy({ where: { id: 1 } })
    await Counted.create({ id: 1, text: 'another' })
    t.equal(await versionOf(), 0)
  })

  await t.test('the SQLSTATE is in error.original, which is error.parent, and errors quote values; what the adapter throws does not', async (t) => {
    const { Lines, id, adapter, key } = await open(t)
    const line = { orderId: id, position: 98, sku: 'secret', quantity: 1 }
    await Lines.create(line)
    const error = await Lines.create({ ...line, position: 99 }).catch((error: unknown) => error)
    t.match(error, { name: 'SequelizeUniqueConstraintError', original: { code: '23505' }, code: undefined })
    t.equal((error as { parent: unknown }).parent, (error as { original: unknown }).original)
    t.match(inspect((error as { original: unknown }).original), /secret/)
    const lines = [{ sku: 'secret', quantity: 1 }, { sku: 'secret', quantity: 1 }]
    const told = await adapter.write(key, { ...wave, lines }, EXISTS).catch((error: unknown) => error)
    t.match(told, { code: 'FST_IF_MATCH_CONSTRAINT', cause: { constraint: 'lines_order_id_sku_key' } })
    t.notMatch(inspect(told, { depth: null }), /secret/)
  })

  await t.test('what the adapter throws for a connection that was lost quotes no values', async (t) => {
    const proxy = await startProxy(t, store.address)
    const { adapter, key } = await open(t, {}, proxy.url)
    proxy.cutAnswer({ when: (request) => request.includes('UPDATE "orders"') })
    const told = await adapter.write(key, { ...wave, customer: 'secret' }, EXISTS).catch((error: unknown) => error)
    t.match(told, { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    t.notMatch(inspect(told, { depth: null }), /secret/)
  })

  await t.test('a validation of the model is an error of Sequelize before anything is sent: it goes out as it is', async (t) => {
    const { Orders, run, id, read } = await open(t)
    const customer = null as unknown as string
    const error = await run(async (transaction) =>
      await Orders.create({ id: id + 1000, customer, note: null }, { transaction }))
    t.match(error, { name: 'SequelizeValidationError', statusCode: undefined })
    t.strictSame(await read(), wave)
  })

  await t.test('a call without { transaction }, inside of a work, waits for the lock of its own transaction until somebody cancels it', async (t) => {
    const { Orders, run, read, id } = await open(t)
    const cancelled = until('it waits', async () => (await store.rows(`SELECT pg_cancel_backend(pid)
      FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).length > 0)
    t.match(await run(async () => await Orders.update({ customer: 'Other' }, { where: { id } })), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
    })
    await cancelled
    t.strictSame(await read(), wave)
  })

  await t.test('a call without { transaction } to another row is stored, also if the work fails', async (t) => {
    const { Orders, run, read } = await open(t)
    const other = nextId()
    t.match(await run(async () => {
      await Orders.create({ id: other, customer: 'Outside', note: null })
      throw new Error('of the work')
    }), { message: 'of the work' })
    t.strictSame(await read(), wave)
    t.match(await Orders.findByPk(other), { customer: 'Outside' })
  })

  await t.test('a work that goes on behind a statement that failed is STORAGE_FAULT; transaction() of Sequelize alone acknowledges what COMMIT rolled back', async (t) => {
    const { Orders, Lines, db, run, read, id } = await open(t)
    const work = async (transaction: Transaction) => {
      await Orders.update({ customer: 'Other' }, { where: { id }, transaction })
      await Lines.create({ orderId: id, position: 99, ...apple }, { transaction }).catch(() => {})
      return 'done'
    }
    t.match(await run(work), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.equal(await db.transaction(work), 'done')
    t.strictSame(await read(), wave)
  })

  await t.test('a transaction of a transaction is a savepoint: what fails in it is undone, and the rest is stored', async (t) => {
    const { Orders, Lines, db, run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await Orders.update({ customer: 'Other' }, { where: { id }, transaction: tx })
      const inner = db.transaction({ transaction: tx }, async (transaction) => {
        await Orders.update({ note: 'inner' }, { where: { id }, transaction })
        await Lines.create({ orderId: id, position: 99, ...apple }, { transaction })
      })
      await t.rejects(inner, { name: 'SequelizeUniqueConstraintError' })
    }), { applied: true })
    t.strictSame(await read(), { ...wave, customer: 'Other' })
  })

  await t.test('a hook of afterCommit that throws is OUTCOME_UNKNOWN, although the work is stored', async (t) => {
    const { Orders, run, read, id } = await open(t)
    t.match(await run(async (transaction) => {
      await Orders.update({ customer: 'Other' }, { where: { id }, transaction })
      transaction.afterCommit(() => { throw new Error('of the hook') })
    }), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    t.match(await read(), { customer: 'Other' })
  })

  await t.test('a hook of afterCommit runs after a COMMIT that failed, too', async (t) => {
    const { Orders, db, id } = await open(t)
    await store.act('CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children ' +
      '(id int REFERENCES parents DEFERRABLE INITIALLY DEFERRED)')
    t.intercept(console, 'warn', { value: () => {} })
    let runs = 0
    await t.rejects(db.transaction(async (transaction) => {
      await Orders.update({ customer: 'Other' }, { where: { id }, transaction })
      await db.query('INSERT INTO children VALUES (1)', { transaction })
      transaction.afterCommit(() => { runs++ })
    }), { name: 'SequelizeForeignKeyConstraintError' })
    t.equal(runs, 1)
  })

  await t.test('a pool without a free connection is STORAGE_UNAVAILABLE, for a write and for a read', async (t) => {
    const { db, adapter, key } = await open(t, { pool: { max: 1, acquire: 50 } })
    const taken = await db.transaction()
    const unavailable = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
    await t.rejects(adapter.write(key, wave, EXISTS), unavailable)
    await t.rejects(adapter.read(key), unavailable)
    await taken.rollback()
  })

  await t.test('an attempt to connect that failed rejects whatever waits for a connection by then', async (t) => {
    const { db } = await open(t, { pool: { max: 3 } })
    const attempts: Array<Barrier<Error | undefined>> = []
    let areHeld = true
    const taken = await db.transaction()
    db.addHook('beforeConnect', async () => {
      if (!areHeld) return
      const attempt = barrier<Error | undefined>()
      attempts.push(attempt)
      const refusal = await attempt.opened
      if (refusal !== undefined) throw refusal
    })
    const attempt = async (count: number) => await until('it connects', () => attempts.length >= count)
    const refused = new Error('refused')
    const query = async () => await db.query('SELECT 1').catch((error: unknown) => error)
    const during = query()
    await attempt(1)
    // A connection that is lost makes the pool connect a second time for the one query that waits.
    await store.act('SELECT pg_terminate_backend(pid) FROM pg_stat_activity ' +
      "WHERE datname = current_database() AND state = 'idle in transaction'")
    await attempt(2)
    attempts[0]!.open(refused)
    t.equal(await during, refused)
    const after = query()
    await attempt(3)
    attempts[1]!.open(refused)
    t.equal(await after, refused, 'the refusal of an attempt that is older than the query')
    areHeld = false
    for (const { open } of attempts.slice(2)) open(undefined)
    t.match(await query(), [[{ '?column?': 1 }]])
    t.intercept(console, 'warn', { value: () => {} })
    await t.rejects(taken.rollback())
  })
})
