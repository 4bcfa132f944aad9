import {
  EntitySchema,
  FlushMode,
  IsolationLevel,
  LockMode,
  MikroORM,
  RequestContext,
  type EntityManager
} from '@mikro-orm/postgresql'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { TransactionAdapter, Work } from 'fastify-if-match/storage'
import { transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { ABSENT, EXISTS } from '../../test/support/expectations.js'
import { startPostgres } from '../../test/support/services/postgres.js'
import { skipWithout } from '../../test/support/services/programs.js'
import { until } from '../../test/support/until.js'
import { orderKey, type Order } from '../order.js'
import { handlerCase } from '../support/orders/handler-case.js'
import { nextId } from '../support/orders/ids.js'
import { newDatabase } from '../support/orders/postgres.js'
import { wave } from '../support/orders/transaction-cases.js'
import { ordersAdapter } from './orders-adapter.js'
import { addQuantities } from './orders-routes.js'
import { Lines, Orders } from './orders-schema.js'

// Shows what the guide says of MikroORM. If a later version behaves otherwise, the guide has to change.

const apple = { sku: 'apple', quantity: 9 } // the order has such a line
const plum = { sku: 'plum', quantity: 3 }

const sqlStateOf = async (statement: Promise<unknown>): Promise<unknown> =>
  await statement.then(() => undefined, (error: { code: string }) => error.code)

/** The adapter with another way to begin, and another look at the version. */
function variantOf (
  orm: MikroORM,
  transaction: (work: (tx: EntityManager) => Promise<unknown>) => Promise<unknown>,
  version: (tx: EntityManager, id: number) => Promise<bigint | undefined>
): TransactionAdapter<Order> {
  return transactionsAdapter({
    client: orm.em,
    transaction,
    toId: orderKey.parse,
    version: async (tx, { id }) => await version(tx, id),
    read: async () => undefined
  })
}

// The model, with a version of MikroORM's own. It has the name of that one, so the adapter of the guide finds it.
const counted: typeof Orders = new EntitySchema({
  name: 'Orders',
  properties: {
    id: { type: 'integer', primary: true },
    customer: { type: 'text' },
    note: { type: 'text', nullable: true },
    rowVersion: { type: 'integer', version: true } as never,
    lines: { kind: '1:m', entity: 'Lines', mappedBy: 'order', orphanRemoval: true, orderBy: { position: 'asc' } }
  }
})

await t.test('MikroORM over pg', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const store = await newDatabase(t, url)

  async function connect (t: Test, orders = Orders, max = 10) {
    const sent: string[] = []
    const orm = await MikroORM.init({
      clientUrl: store.address,
      entities: [orders, Lines],
      pool: { min: 0, max },
      driverOptions: { connection: { statement_timeout: 5000 } },
      debug: ['query'],
      colors: false,
      logger: (message) => { sent.push(message.replace('[query] ', '')) }
    })
    t.teardown(async () => { await orm.close() })
    sent.length = 0
    return { orm, sent, adapter: ordersAdapter(orm) }
  }

  async function open (t: Test, orders?: typeof Orders) {
    const { orm, sent, adapter } = await connect(t, orders)
    const id = nextId()
    const key = `/orders/${id}`
    await adapter.write(key, wave, ABSENT)
    sent.length = 0
    return {
      orm,
      sent,
      adapter,
      id,
      key,
      /** The order as assign() takes it. */
      graph: (order: Order) => {
        const lines = order.lines.map((line, position) => ({ order: id, position, ...line }))
        return { customer: order.customer, note: order.note, lines }
      },
      load: async (em: EntityManager) => await em.findOneOrFail(Orders, { id }, { populate: ['lines'] }),
      read: async () => (await adapter.read(key))?.value,
      run: async (work: Work<Order, unknown, EntityManager>) =>
        await adapter.transaction(key, EXISTS, work).catch((error: unknown) => error)
    }
  }

  await t.test('a handler with transaction() changes one line: 200 with a new tag, then 412; 422 without such a line', async (t) => {
    const { adapter, key } = await open(t)
    await handlerCase(t, adapter, key, addQuantities)
  })

  await t.test('a query that populates is one statement with the strategy "joined", and two with "select-in"', async (t) => {
    const { orm, sent, id } = await open(t)
    for (const [strategy, statements] of [['joined', 1], ['select-in', 2]] as const) {
      await orm.em.fork().findOneOrFail(Orders, { id }, { populate: ['lines'], strategy })
      t.equal(sent.splice(0).length, statements, strategy)
    }
  })

  await t.test('orm.em of a request hands the entities that it has read on to the transaction: the work sees what was stored before the lock. A fork does not', async (t) => {
    const { orm, adapter, id, key, load } = await open(t)
    const own = variantOf(orm, async (work) => await orm.em.transactional(work), async (tx, id) => {
      await tx.flush()
      const how = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true }
      return (await tx.findOne(Orders, { id }, how))?.rowVersion
    })
    let seen: string | undefined
    const look: Work<Order, unknown, EntityManager> = async (tx) => {
      seen = (await load(tx)).customer
      await tx.nativeUpdate(Orders, { id }, { note: 'seen' })
    }
    await RequestContext.create(orm.em, async () => {
      await load(orm.em as EntityManager)
      await store.act(`UPDATE orders SET customer = 'theirs' WHERE id = ${id}`)
      await own.transaction(key, EXISTS, look)
      t.equal(seen, wave.customer, 'an old entity')
      await adapter.transaction(key, EXISTS, look)
      t.equal(seen, 'theirs')
    })
  })

  await t.test('changes of entities are sent by the flush behind the work: without one in "version", every such work is VERSION_UNCHANGED', async (t) => {
    const { orm, key, load, read } = await open(t)
    const forgetful = variantOf(orm, async (work) => await orm.em.fork().transactional(work), async (tx, id) =>
      (await tx.findOne(Orders, { id }, { disableIdentityMap: true, flushMode: FlushMode.COMMIT }))?.rowVersion)
    const rename = async (tx: EntityManager) => { (await load(tx)).customer = 'Other' }
    await t.rejects(forgetful.transaction(key, EXISTS, rename), { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    t.strictSame(await read(), wave)
  })

  await t.test('without disableIdentityMap or refresh the version is that of the entity that the work loaded: VERSION_UNCHANGED', async (t) => {
    const { orm, key, load, read } = await open(t)
    const cached = variantOf(orm, async (work) => await orm.em.fork().transactional(work), async (tx, id) => {
      await tx.flush()
      return (await tx.findOne(Orders, { id }))?.rowVersion
    })
    const rename = async (tx: EntityManager) => { (await load(tx)).customer = 'Other' }
    await t.rejects(cached.transaction(key, EXISTS, rename), { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    t.strictSame(await read(), wave)
  })

  await t.test('entities in a work: lines are changed, added and removed, the tag moves, and the version of the entity is the old one until it is refreshed', async (t) => {
    const { run, read, graph, load } = await open(t)
    const changed = { ...wave, customer: 'Other', lines: [apple, wave.lines[1]!, plum] }
    t.match(await run(async (tx, current) => {
      const order = await load(tx)
      tx.assign(order, graph(changed))
      t.strictSame((await current.read())?.value, changed, 'read() sends them first')
      t.equal(String(order.rowVersion), current.version)
      await tx.refresh(order)
      t.not(String(order.rowVersion), current.version)
    }), { applied: true })
    t.strictSame(await read(), changed)
    t.match(await run(async (tx) => {
      const order = await load(tx)
      order.lines.remove(order.lines.getItems().slice(1))
    }), { applied: true })
    t.strictSame(await read(), { ...changed, lines: [apple] })
  })

  await t.test('a flush updates and inserts before it deletes: two lines that change places are CONSTRAINT, and a PUT of the adapter takes them', async (t) => {
    const { key, run, read, graph, load, adapter } = await open(t)
    const swapped = { ...wave, lines: wave.lines.toReversed() }
    const moved = { ...wave, lines: wave.lines.slice(1) }
    for (const order of [swapped, moved]) {
      const answer = await run(async (tx) => { tx.assign(await load(tx), graph(order)) })
      t.match(answer, { code: 'FST_IF_MATCH_CONSTRAINT' })
      t.strictSame(await read(), wave)
    }
    t.match(await adapter.write(key, swapped, EXISTS), { applied: true })
    t.strictSame(await read(), swapped)
  })

  await t.test('entities that are set to what is stored send no UPDATE: VERSION_UNCHANGED. A PUT of the adapter makes a new tag', async (t) => {
    const { key, run, graph, load, adapter } = await open(t)
    const answer = await run(async (tx) => { tx.assign(await load(tx), graph(wave)) })
    t.match(answer, { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    t.match(await adapter.write(key, wave, EXISTS), { applied: true })
  })

  await t.test('assign() drops a line without an error if its composite key is not whole', async (t) => {
    const { run, read, load } = await open(t)
    const lines = [{ position: 0, ...apple }, { position: 1, ...plum }]
    t.match(await run(async (tx) => {
      tx.assign(await load(tx), { customer: 'Other', lines: lines as never })
    }), { applied: true })
    t.strictSame(await read(), { ...wave, customer: 'Other' })
  })

  await t.test('a property with "version: true" fails where a trigger moves the column: a line and its order in one work are an OptimisticLockError', async (t) => {
    const { run, read, load } = await open(t, counted)
    const answer = await run(async (tx) => {
      const order = await load(tx)
      order.customer = 'Other'
      tx.create(Lines, { order, position: 99, ...plum }, { persist: true })
    })
    t.match(answer, { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { name: 'OptimisticLockError' } })
    t.strictSame(await read(), wave)
  })

  await t.test('an entity that MikroORM refuses to write is a mistake, 500, and no outage, whoever flushes it', async (t) => {
    const { run, read, id } = await open(t)
    const add = (tx: EntityManager) => tx.create(Lines, { order: id, position: 99, quantity: 1 } as never)
    const cause = { name: 'ValidationError' }
    t.match(await run(async (tx) => { tx.persist(add(tx)) }), { code: 'FST_IF_MATCH_STORAGE_FAULT', cause })
    t.match(await run(async (tx, current) => {
      tx.persist(add(tx))
      await current.read()
    }), { code: 'FST_IF_MATCH_STORAGE_FAULT', cause })
    t.match(await run(async (tx) => await tx.persist(add(tx)).flush()), cause)
    t.strictSame(await read(), wave)
  })

  await t.test('the SQLSTATE is in code, and nativeUpdate() and nativeDelete() count their rows', async (t) => {
    const { orm, id } = await open(t)
    const em = orm.em.fork()
    t.equal(await sqlStateOf(em.insert(Orders, { id, customer: 'Twice', note: null })), '23505')
    t.equal(await em.nativeUpdate(Lines, { order: id }, { quantity: 5 }), 2)
    t.equal(await em.nativeUpdate(Lines, { order: id, sku: 'none' }, { quantity: 5 }), 0)
    t.equal(await em.nativeDelete(Lines, { order: id }), 2)
  })

  await t.test('a work that goes on behind a statement that failed is STORAGE_FAULT; transactional() of MikroORM alone acknowledges what COMMIT rolled back', async (t) => {
    const { orm, run, read, id } = await open(t)
    const work = async (tx: EntityManager) => {
      await tx.nativeUpdate(Orders, { id }, { customer: 'Other' })
      await tx.insert(Lines, { order: id, position: 99, ...apple }).catch(() => {})
      return 'done'
    }
    t.match(await run(work), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.equal(await orm.em.fork().transactional(work), 'done')
    t.strictSame(await read(), wave)
  })

  await t.test('transactional() of tx is a savepoint: what fails in it is undone, and the rest is stored', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await tx.nativeUpdate(Orders, { id }, { customer: 'Other' })
      const inner = tx.transactional(async (tx) => {
        await tx.nativeUpdate(Orders, { id }, { note: 'inner' })
        await tx.insert(Lines, { order: id, position: 99, ...apple })
      })
      t.equal(await sqlStateOf(inner), '23505')
    }), { applied: true })
    t.strictSame(await read(), { ...wave, customer: 'Other' })
  })

  await t.test('orm.em inside of a work is tx; a fork of it is another connection, and waits for the lock of the work until somebody cancels it', async (t) => {
    const { orm, run, read, id } = await open(t)
    t.match(await run(async () => {
      await orm.em.nativeUpdate(Orders, { id }, { customer: 'Inside' })
      throw Object.assign(new Error('full'), { statusCode: 409 })
    }), { statusCode: 409 })
    t.strictSame(await read(), wave, 'it went with the rollback')
    const cancelled = until('it waits', async () => (await store.rows(`SELECT pg_cancel_backend(pid)
      FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).length > 0)
    t.match(await run(async () => await orm.em.fork().nativeUpdate(Orders, { id }, { customer: 'Other' })), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
    })
    await cancelled
    t.strictSame(await read(), wave)
  })

  await t.test('nativeUpdate() calls no hook and sets no property with onUpdate; a change of an entity does both', async (t) => {
    let updates = 0
    const stamped: typeof Orders = new EntitySchema({
      name: 'Orders',
      properties: {
        id: { type: 'integer', primary: true },
        customer: { type: 'text' },
        note: { type: 'text', nullable: true, onUpdate: () => 'stamped' },
        rowVersion: { type: 'bigint', defaultRaw: "nextval('row_versions')", trackChanges: false },
        lines: { kind: '1:m', entity: 'Lines', mappedBy: 'order' }
      },
      hooks: { beforeUpdate: [() => { updates++ }] }
    })
    const { run, read, id, load } = await open(t, stamped)
    await run(async (tx) => await tx.nativeUpdate(Orders, { id }, { customer: 'Native' }))
    t.strictSame(await read(), { ...wave, customer: 'Native' })
    t.equal(updates, 0)
    await run(async (tx) => { (await load(tx)).customer = 'Entity' })
    t.strictSame(await read(), { ...wave, customer: 'Entity', note: 'stamped' })
    t.equal(updates, 1)
  })

  await t.test('a transaction has the isolation level that it is given, and connections the statement_timeout of driverOptions', async (t) => {
    const { orm } = await connect(t)
    const level = await orm.em.fork().transactional(async (tx) => await tx.execute('SHOW transaction_isolation'), {
      isolationLevel: IsolationLevel.SERIALIZABLE
    })
    t.strictSame(level, [{ transaction_isolation: 'serializable' }])
    t.strictSame(await orm.em.fork().execute('SHOW statement_timeout'), [{ statement_timeout: '5s' }])
  })

  await t.test('a connection whose ROLLBACK was not sent, as with query_timeout of pg, goes back to the pool in its transaction, and the next COMMIT there stores half a work', async (t) => {
    const { orm, adapter } = await connect(t, Orders, 1)
    const id = nextId()
    const key = `/orders/${id}`
    await adapter.write(key, wave, ABSENT)
    const query = pg.Client.prototype.query as (...args: unknown[]) => unknown
    let isTimedOut = true
    t.intercept(pg.Client.prototype, 'query', {
      value (this: pg.Client, ...args: [{ text?: string }, (error: Error) => void]): unknown {
        if (isTimedOut && args[0].text === 'ROLLBACK') return args[1](new Error('Query read timeout'))
        return query.apply(this, args)
      }
    })
    await t.rejects(adapter.transaction(key, EXISTS, async (tx: EntityManager) => {
      await tx.nativeUpdate(Orders, { id }, { customer: 'Half' })
      throw new Error('of the work')
    }), { message: 'of the work' })
    isTimedOut = false
    t.match(await store.rows(`SELECT customer FROM orders WHERE id = ${id}`), [{ customer: wave.customer }])
    await orm.em.fork().transactional(async () => {})
    t.match(await store.rows(`SELECT customer FROM orders WHERE id = ${id}`), [{ customer: 'Half' }])
  })
})
