import pg from 'pg'
import t, { type Test } from 'tap'
import { DataSource, EntitySchema, type EntityManager, type EntitySchemaColumnOptions } from 'typeorm'
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
import { Lines, Orders } from './orders-schema.js'

// Shows what the guide says of TypeORM and several tables. If a later version behaves otherwise, the guide has to
// change.

const apple = { sku: 'apple', quantity: 9 } // the order has such a line
const plum = { sku: 'plum', quantity: 3 }

// The model, with another column for the version. It has the name of that one, so the adapter of the guide finds it.
function ordersWith (rowVersion: Partial<EntitySchemaColumnOptions>): typeof Orders {
  const { options } = Orders
  return new EntitySchema({
    ...options,
    columns: { ...options.columns, rowVersion: { name: 'row_version', type: 'bigint', ...rowVersion } }
  })
}

const sqlStateOf = async (statement: Promise<unknown>): Promise<unknown> =>
  await statement.then(() => undefined, (error: { driverError: { code: string } }) => error.driverError.code)

await t.test('TypeORM over pg', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const store = await newDatabase(t, url)

  async function connect (t: Test, orders = Orders, extra: object = {}) {
    const source = new DataSource({
      type: 'postgres',
      url: store.address,
      entities: [orders, Lines],
      installExtensions: false,
      extra
    })
    await source.initialize()
    t.teardown(async () => { await source.destroy() })
    const sent: string[] = []
    source.subscribers.push({ beforeQuery: ({ query }) => { sent.push(query) } })
    return { source, sent, adapter: ordersAdapter(source) }
  }

  async function open (t: Test, orders?: typeof Orders) {
    const { source, sent, adapter } = await connect(t, orders)
    const id = nextId()
    const key = `/orders/${id}`
    await adapter.write(key, wave, ABSENT)
    sent.length = 0
    return {
      source,
      sent,
      adapter,
      id,
      key,
      /** The order as save() takes it. */
      graph: (order: Order) => {
        const lines = order.lines.map((line, position) => ({ orderId: id, position, ...line }))
        return { id, customer: order.customer, note: order.note, lines }
      },
      read: async () => (await adapter.read(key))?.value,
      run: async (work: Work<Order, unknown, EntityManager>) =>
        await adapter.transaction(key, EXISTS, work).catch((error: unknown) => error)
    }
  }

  await t.test('a handler with transaction() changes one line: 200 with a new tag, then 412; 422 without such a line', async (t) => {
    const { adapter, key } = await open(t)
    await handlerCase(t, adapter, key, addQuantities)
  })

  await t.test('find() with relations is one statement, findOne() two, and relationLoadStrategy "query" one for each table and more', async (t) => {
    const { source, sent, id } = await open(t)
    const how = { where: { id }, relations: { lines: true } }
    const statements = async (read: Promise<unknown>) => {
      await read
      return sent.splice(0).length
    }
    t.equal(await statements(source.manager.find(Orders, how)), 1)
    t.equal(await statements(source.manager.findOne(Orders, how)), 2)
    t.ok(await statements(source.manager.find(Orders, { ...how, relationLoadStrategy: 'query' })) > 1)
  })

  await t.test('a lock of a query that joins is refused by PostgreSQL, and one outside of a transaction by TypeORM', async (t) => {
    const { source, id } = await open(t)
    const how = { where: { id }, lock: { mode: 'pessimistic_write' } } as const
    const joined = source.transaction(async (tx) => await tx.findOne(Orders, { ...how, relations: { lines: true } }))
    t.equal(await sqlStateOf(joined), '0A000')
    await t.rejects(source.manager.findOne(Orders, how), { name: 'PessimisticLockTransactionRequiredError' })
  })

  await t.test('save() of a graph in a work: lines are changed, added and removed, the tag moves, and the version that save() gives is the old one', async (t) => {
    const { key, run, read, graph, adapter } = await open(t)
    const changed = { ...wave, customer: 'Other', lines: [apple, wave.lines[1]!, plum] }
    const before = await adapter.read(key)
    let saved: string | undefined
    const save = (order: Order): Work<Order, unknown, EntityManager> => async (tx, { version }) =>
      ({ rowVersion: saved } = await tx.save(Orders, { ...graph(order), rowVersion: version! }))
    const first = await run(save(changed)) as { version: string }
    t.strictSame(await read(), changed)
    t.equal(saved, before?.version)
    t.not(first.version, saved)
    t.match(await run(save({ ...changed, lines: [apple] })), { applied: true })
    t.strictSame(await read(), { ...changed, lines: [apple] })
  })

  await t.test('save() updates and inserts before it deletes: two lines that change places are CONSTRAINT, and a PUT of the adapter takes them', async (t) => {
    const { key, run, read, graph, adapter } = await open(t)
    const swapped = { ...wave, lines: wave.lines.toReversed() }
    const moved = { ...wave, lines: wave.lines.slice(1) }
    for (const order of [swapped, moved]) {
      t.match(await run(async (tx) => await tx.save(Orders, graph(order))), { code: 'FST_IF_MATCH_CONSTRAINT' })
      t.strictSame(await read(), wave)
    }
    t.match(await adapter.write(key, swapped, EXISTS), { applied: true })
    t.strictSame(await read(), swapped)
  })

  await t.test('save() of what is stored already sends no UPDATE: VERSION_UNCHANGED. A PUT of the adapter makes a new tag', async (t) => {
    const { key, run, sent, graph, adapter } = await open(t)
    const answer = await run(async (tx) => await tx.save(Orders, graph(wave)))
    t.match(answer, { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    t.notOk(sent.some((sql) => sql.startsWith('UPDATE')))
    t.match(await adapter.write(key, wave, EXISTS), { applied: true })
  })

  await t.test('save() of an order that was loaded before the work puts back what others changed, and its version too if the column allows it, which the trigger overrides', async (t) => {
    const plain = ordersWith({})
    const { source, sent, id, read, run } = await open(t, plain)
    const mine = await source.manager.findOneByOrFail(plain, { id })
    await store.act(`UPDATE orders SET note = 'theirs' WHERE id = ${id}`)
    const result = await run(async (tx) => await tx.save(plain, { ...mine, customer: 'Mine' })) as { version: string }
    t.match(sent.find((sql) => sql.startsWith('UPDATE')), '"row_version" = ')
    t.not(result.version, mine.rowVersion)
    t.match(await read(), { customer: 'Mine', note: wave.note })

    const { source: guarded, sent: sentThere, run: runThere, id: there } = await open(t)
    const loaded = await guarded.manager.findOneByOrFail(Orders, { id: there })
    await store.act(`UPDATE orders SET note = 'theirs' WHERE id = ${there}`)
    await runThere(async (tx) => await tx.save(Orders, { ...loaded, customer: 'Mine' }))
    t.notMatch(sentThere.find((sql) => sql.startsWith('UPDATE')), 'row_version')
  })

  await t.test('a column with "version: true" is compared by no save(), and a change of a line alone leaves it to the trigger', async (t) => {
    const counted = ordersWith({ version: true })
    const { source, sent, id, graph } = await open(t, counted)
    const mine = await source.manager.findOneByOrFail(counted, { id })
    await store.act(`UPDATE orders SET note = 'theirs' WHERE id = ${id}`)
    await source.manager.save(counted, { ...mine, customer: 'Mine' })
    const update = sent.find((sql) => sql.startsWith('UPDATE "orders"'))
    t.match(update, /WHERE "id" = \$\d+ RETURNING "row_version"$/)
    sent.length = 0
    await source.manager.save(counted, graph({ ...wave, customer: 'Mine', lines: [apple, wave.lines[1]!] }))
    t.notOk(sent.some((sql) => sql.startsWith('UPDATE "orders"')))
  })

  await t.test('insert() and save() of an id that the database can make leave it out: a creation by them is VERSION_UNCHANGED, and nothing is stored', async (t) => {
    const { source, adapter } = await connect(t)
    await store.act("SELECT setval(pg_get_serial_sequence('orders', 'id'), 1000000)") // away from the ids of keys
    const before = await source.manager.count(Orders)
    const order = { id: nextId(), customer: 'New', note: null }
    const ways: Array<(tx: EntityManager) => Promise<unknown>> = [
      async (tx) => await tx.insert(Orders, order),
      async (tx) => await tx.save(Orders, order)
    ]
    for (const create of ways) {
      const answer = adapter.transaction(`/orders/${order.id}`, ABSENT, create)
      await t.rejects(answer, { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    }
    t.equal(await source.manager.count(Orders), before)
  })

  await t.test('the SQLSTATE is in driverError, and "affected" counts the rows of update() and delete()', async (t) => {
    const { source: { manager }, id } = await open(t)
    t.equal(await sqlStateOf(manager.insert(Lines, { orderId: id, position: 0, ...plum })), '23505')
    t.equal((await manager.update(Lines, { orderId: id }, { quantity: 5 })).affected, 2)
    t.equal((await manager.update(Lines, { orderId: id, sku: 'none' }, { quantity: 5 })).affected, 0)
    t.equal((await manager.delete(Lines, { orderId: id })).affected, 2)
  })

  await t.test('a work that goes on behind a statement that failed is STORAGE_FAULT; transaction() of TypeORM alone acknowledges what COMMIT rolled back', async (t) => {
    const { source, run, read, id } = await open(t)
    const work = async (tx: EntityManager) => {
      await tx.update(Orders, { id }, { customer: 'Other' })
      await tx.insert(Lines, { orderId: id, position: 99, ...apple }).catch(() => {})
      return 'done'
    }
    t.match(await run(work), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.equal(await source.transaction(work), 'done')
    t.strictSame(await read(), wave)
  })

  await t.test('transaction() of tx is a savepoint: what fails in it is undone, and the rest is stored', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await tx.update(Orders, { id }, { customer: 'Other' })
      const inner = tx.transaction(async (tx) => {
        await tx.update(Orders, { id }, { note: 'inner' })
        await tx.insert(Lines, { orderId: id, position: 99, ...apple })
      })
      t.equal(await sqlStateOf(inner), '23505')
    }), { applied: true })
    t.strictSame(await read(), { ...wave, customer: 'Other' })
  })

  await t.test('dataSource.manager in place of tx, inside of a work, waits for the lock of its own transaction until somebody cancels it', async (t) => {
    const { source, run, read, id } = await open(t)
    const cancelled = until('it waits', async () => (await store.rows(`SELECT pg_cancel_backend(pid)
      FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).length > 0)
    t.match(await run(async () => await source.manager.update(Orders, { id }, { customer: 'Other' })), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
    })
    await cancelled
    t.strictSame(await read(), wave)
  })

  await t.test('a transaction has the isolation level that it is given, and connections the statement_timeout of "extra"', async (t) => {
    const { source } = await connect(t, Orders, { statement_timeout: 5000 })
    const level = await source.transaction('SERIALIZABLE', async (tx) => await tx.query('SHOW transaction_isolation'))
    t.strictSame(level, [{ transaction_isolation: 'serializable' }])
    t.strictSame(await source.query('SHOW statement_timeout'), [{ statement_timeout: '5s' }])
  })

  await t.test('a connection whose ROLLBACK was not sent, as with query_timeout of pg, goes back to the pool in its transaction, and the next COMMIT there stores half a work', async (t) => {
    const { source, adapter } = await connect(t, Orders, { max: 1 })
    const id = nextId()
    const key = `/orders/${id}`
    await adapter.write(key, wave, ABSENT)
    const query = pg.Client.prototype.query as (...args: unknown[]) => unknown
    let isTimedOut = true
    t.intercept(pg.Client.prototype, 'query', {
      value (this: pg.Client, ...args: unknown[]): unknown {
        if (isTimedOut && args[0] === 'ROLLBACK') return Promise.reject(new Error('Query read timeout'))
        return query.apply(this, args)
      }
    })
    await t.rejects(adapter.transaction(key, EXISTS, async (tx: EntityManager) => {
      await tx.update(Orders, { id }, { customer: 'Half' })
      throw new Error('of the work')
    }), { message: 'of the work' })
    isTimedOut = false
    t.match(await store.rows(`SELECT customer FROM orders WHERE id = ${id}`), [{ customer: wave.customer }])
    await source.transaction(async () => {})
    t.match(await store.rows(`SELECT customer FROM orders WHERE id = ${id}`), [{ customer: 'Half' }])
  })
})
