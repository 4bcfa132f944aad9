import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { Work } from 'fastify-if-match/storage'
import { barrier } from '../../test/support/barrier.js'
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
import { PrismaClient } from './generated/client.js'
import { ordersAdapter, type Tx } from './orders-adapter.js'
import { addQuantities } from './orders-routes.js'

// Shows what the page says of Prisma. If a later version behaves otherwise, the page has to change.

const apple = { sku: 'apple', quantity: 9 } // the order has such a line
const PATIENT = { maxWait: 30_000, timeout: 30_000 }
const SHORT = { maxWait: 30_000, timeout: 100 }

await t.test('Prisma', { skip: skipWithout('postgres') }, async (t) => {
  const { url } = await startPostgres(t)
  const store = await newDatabase(t, url)

  async function open (t: Test, { transactionOptions = PATIENT, address = store.address, ...pool }: {
    transactionOptions?: { maxWait: number, timeout: number, isolationLevel?: 'Serializable' }
    address?: string
    max?: number
    options?: string
  } = {}) {
    const adapterOfPrisma = new PrismaPg({ connectionString: address, ...pool })
    const prisma = new PrismaClient({ adapter: adapterOfPrisma, transactionOptions })
    t.teardown(async () => { await prisma.$disconnect() })
    const adapter = ordersAdapter(prisma)
    const id = nextId()
    const key = `/orders/${id}`
    await ordersAdapter(await own(t)).write(key, wave, ABSENT)
    return {
      prisma,
      adapter,
      id,
      key,
      read: async () => (await adapter.read(key))?.value,
      run: async (work: Work<Order, unknown, Tx>) =>
        await adapter.transaction(key, EXISTS, work).catch((error: unknown) => error)
    }
  }

  // A client beside the one that is tried.
  async function own (t: Test): Promise<PrismaClient> {
    const prisma = new PrismaClient({ adapter: new PrismaPg(store.address), transactionOptions: PATIENT })
    t.teardown(async () => { await prisma.$disconnect() })
    return prisma
  }

  // Two notes of one order, which are refused at COMMIT.
  await store.act('CREATE TABLE notes (order_id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)')
  const deferred = async (tx: Tx, id: number) => await tx.$executeRaw`INSERT INTO notes VALUES (${id}), (${id})`

  const waiting = async () => await store.rows(`SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`)

  await t.test('a handler with transaction() changes one line: 200 with a new tag, then 412; 422 without such a line', async (t) => {
    const { adapter, key } = await open(t)
    await handlerCase(t, adapter, key, addQuantities)
  })

  await t.test('include is a second statement: the lines are of a later moment than their order. At RepeatableRead they are of one', async (t) => {
    const proxy = await startProxy(t, store.address)
    const { prisma, adapter, id, key } = await open(t, { address: proxy.url })
    const overtaken = async <R>(read: () => Promise<R>): Promise<R> => {
      await store.act(`DELETE FROM lines WHERE order_id = ${id}; UPDATE orders SET customer = 'Old' WHERE id = ${id}`)
      const { answered } = proxy.hold({ when: (request) => request.includes('FROM "public"."orders"') })
      const reading = read()
      await answered
      await store.act(`INSERT INTO lines VALUES (${id}, 1, 'new', 1)`)
      await store.act(`UPDATE orders SET customer = 'New' WHERE id = ${id}`)
      proxy.pass()
      return await reading
    }
    const include = { lines: true }
    const apart = await overtaken(async () => await prisma.order.findUnique({ where: { id }, include }))
    t.strictSame([apart?.customer, apart?.lines.map(({ sku }) => sku)], ['Old', ['new']])
    const whole = await overtaken(async () => await adapter.read(key))
    t.strictSame(whole?.value, { ...wave, customer: 'Old', lines: [] })
    t.not(whole?.version, (await adapter.read(key))?.version)
  })

  await t.test('updateMany and deleteMany count; update and delete throw P2025 where no row is; an empty "in" matches nothing', async (t) => {
    const { prisma, id } = await open(t)
    const where = { id, rowVersion: { in: [] } }
    t.strictSame(await prisma.order.updateMany({ where, data: { customer: 'x' } }), { count: 0 })
    t.strictSame(await prisma.order.deleteMany({ where }), { count: 0 })
    t.strictSame(await prisma.order.updateMany({ where: { id }, data: { customer: 'x' } }), { count: 1 })
    await t.rejects(prisma.order.update({ where: { id, rowVersion: 0 }, data: { customer: 'x' } }), { code: 'P2025' })
    await t.rejects(prisma.order.delete({ where: { id, rowVersion: 0 } }), { code: 'P2025' })
  })

  await t.test('createMany with skipDuplicates drops a row that any unique key refuses, without an error', async (t) => {
    const { prisma, id } = await open(t)
    const data = { orderId: id, position: 99, ...apple }
    t.strictSame(await prisma.line.createMany({ data, skipDuplicates: true }), { count: 0 })
  })

  await t.test('the SQLSTATE is inside of meta, with the row that was refused; of a COMMIT it is inside of the cause', async (t) => {
    const { prisma, id } = await open(t)
    const line = { orderId: id, position: 99, sku: 'plum', quantity: 0 }
    const inMeta = (originalCode: string, code: string) =>
      ({ code, meta: { driverAdapterError: { cause: { originalCode } } } })
    await t.rejects(prisma.order.create({ data: { id, customer: 'x' } }), inMeta('23505', 'P2002'))
    await t.rejects(prisma.line.create({ data: { ...line, orderId: 0, quantity: 1 } }), inMeta('23503', 'P2003'))
    await t.rejects(prisma.$executeRaw`INSERT INTO orders (id, customer) VALUES (${id}, 'x')`, inMeta('23505', 'P2010'))
    await t.rejects(prisma.line.create({ data: line }), {
      ...inMeta('23514', 'P2039'),
      meta: { driverAdapterError: { cause: { detail: `Failing row contains (${id}, 99, plum, 0).` } } }
    })
    await t.rejects(prisma.$transaction(async (tx) => await deferred(tx, id)), {
      name: 'DriverAdapterError',
      cause: { originalCode: '23505' }
    })
  })

  await t.test('a constraint that refuses the COMMIT is CONSTRAINT, and nothing is stored', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await tx.order.update({ where: { id }, data: { customer: 'Other' } })
      await deferred(tx, id)
    }), { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409, cause: { message: /23505/ } })
    t.strictSame(await read(), wave)
  })

  await t.test('a serialization failure of the COMMIT runs the work again', async (t) => {
    const { prisma, key, id, read } = await open(t)
    const other = await own(t)
    let runs = 0
    // Another transaction has read what this one wrote, and commits before it: so the two cannot follow one another.
    const overtake = async () => await other.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT count(note) FROM orders`
      await tx.$executeRaw`INSERT INTO notes VALUES (${-id})`
    }, { isolationLevel: 'Serializable' })
    const $transaction = async (work: (tx: Tx) => Promise<unknown>) => await prisma.$transaction(async (tx) => {
      const result = await work(tx)
      if (runs === 1) await overtake()
      return result
    }, { isolationLevel: 'Serializable' })
    const adapter = ordersAdapter(Object.create(prisma, { $transaction: { value: $transaction } }) as PrismaClient)
    t.match(await adapter.transaction(key, EXISTS, async (tx: Tx) => {
      await tx.$queryRaw`SELECT count(*) FROM notes`
      await tx.order.update({ where: { id }, data: { note: `run ${++runs}` } })
    }), { applied: true })
    t.strictSame([runs, await read()], [2, { ...wave, note: 'run 2' }])
  })

  await t.test('a work that goes on behind a statement that failed is STORAGE_FAULT; $transaction alone acknowledges what COMMIT rolled back', async (t) => {
    const { prisma, run, read, id } = await open(t)
    const work = async (tx: Tx) => {
      await tx.order.update({ where: { id }, data: { customer: 'Other' } })
      await tx.line.create({ data: { orderId: id, position: 99, ...apple } }).catch(() => {})
      return 'done'
    }
    t.match(await run(work), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    t.equal(await prisma.$transaction(work), 'done')
    t.strictSame(await read(), wave)
  })

  await t.test('a work that outlasts the timeout is STORAGE_UNAVAILABLE, and nothing is stored; the work itself goes on meanwhile', async (t) => {
    const { run, read, id } = await open(t, { transactionOptions: SHORT })
    let wentOn = false
    t.match(await run(async (tx) => {
      await tx.order.update({ where: { id }, data: { customer: 'Late' } })
      const isFree = `SELECT id FROM orders WHERE id = ${id} FOR UPDATE SKIP LOCKED`
      await until('it is rolled back', async () => (await store.rows(isFree)).length > 0)
      wentOn = true
      await tx.order.update({ where: { id }, data: { customer: 'Later' } })
    }), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', statusCode: 503, cause: { code: 'P2028' } })
    t.ok(wentOn)
    t.strictSame(await read(), wave)
  })

  await t.test('the timeout does not end a statement that waits for a lock; lock_timeout does', async (t) => {
    const { prisma, adapter, key, id } = await open(t, { transactionOptions: SHORT })
    const bounded = await open(t, { options: '-c lock_timeout=10' })
    const [locked, goOn] = [barrier(), barrier()]
    const holder = (await own(t)).$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM orders WHERE id = ${id} FOR UPDATE`
      locked.open()
      await goOn.opened
    })
    await locked.opened
    const writing = adapter.write(key, wave, EXISTS).catch((error: unknown) => error)
    await until('it waits', async () => (await waiting()).length > 0)
    await t.rejects(bounded.adapter.write(key, wave, EXISTS), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    // Began later, with the same timeout.
    await t.rejects(prisma.$transaction(async (tx) => {
      await until('it is over', async () => await tx.$queryRaw`SELECT 1`.then(() => false, () => true))
      await tx.$queryRaw`SELECT 1`
    }), { code: 'P2028' })
    t.equal((await waiting()).length, 1)
    goOn.open()
    await holder
    t.match(await writing, { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { code: 'P2028' } })
  })

  await t.test('a transaction that gets no connection within maxWait is STORAGE_UNAVAILABLE, and never began', async (t) => {
    const { prisma, run, read } = await open(t, { transactionOptions: { maxWait: 50, timeout: 30_000 }, max: 1 })
    let isBegun = false
    await prisma.$transaction(async () => {
      t.match(await run(async () => { isBegun = true }), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
        cause: { code: 'P2028' }
      })
    }, PATIENT)
    t.notOk(isBegun)
    t.strictSame(await read(), wave)
  })

  await t.test('prisma in place of tx, inside of a work, waits for the lock of its own transaction until the timeout, and is stored although the work failed', async (t) => {
    const { prisma, run, read, id } = await open(t, { transactionOptions: SHORT })
    t.match(await run(async () => await prisma.order.update({ where: { id }, data: { customer: 'Other' } })), {
      code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
    })
    t.strictSame(await read(), { ...wave, customer: 'Other' })
  })

  await t.test('tx has a $transaction too, which is a savepoint: what fails in it is undone, and the rest is stored', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      await tx.order.update({ where: { id }, data: { customer: 'Other' } })
      const inner = (tx as PrismaClient).$transaction(async (tx) => {
        await tx.order.update({ where: { id }, data: { note: 'inner' } })
        await tx.line.create({ data: { orderId: id, position: 99, ...apple } })
      })
      await t.rejects(inner, { code: 'P2002' })
    }), { applied: true })
    t.strictSame(await read(), { ...wave, customer: 'Other' })
  })

  await t.test('a statement that nobody awaits is not sent; a work of such statements alone is VERSION_UNCHANGED', async (t) => {
    const { run, read, id } = await open(t)
    t.match(await run(async (tx) => {
      void tx.order.update({ where: { id }, data: { customer: 'Other' } })
    }), { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
    t.strictSame(await read(), wave)
  })

  await t.test('a transaction has the isolation level of transactionOptions', async (t) => {
    const { prisma } = await open(t, { transactionOptions: { ...PATIENT, isolationLevel: 'Serializable' } })
    const level = await prisma.$transaction(async (tx) => await tx.$queryRaw`SHOW transaction_isolation`)
    t.strictSame(level, [{ transaction_isolation: 'serializable' }])
  })

  await t.test('a connection whose ROLLBACK fails goes back to the pool inside of its transaction; one whose BEGIN fails does not', async (t) => {
    const left = async (failing: string) => {
      const pool = new pg.Pool({ connectionString: store.address, max: 1 })
      t.teardown(async () => { await pool.end() })
      const query = pg.Client.prototype.query as (...args: unknown[]) => unknown
      pool.on('connect', (connection) => {
        connection.query = ((...args: [{ text?: string }]) => Object(args[0]).text === failing
          ? Promise.reject(new Error('Query read timeout'))
          : query.apply(connection, args)) as typeof connection.query
      })
      const prisma = new PrismaClient({ adapter: new PrismaPg(pool), transactionOptions: PATIENT })
      t.teardown(async () => { await prisma.$disconnect() })
      const adapter = ordersAdapter(prisma)
      await t.rejects(adapter.transaction('/orders/1', { kind: 'any' }, async () => { throw new Error('of the work') }))
      return (await pool.query('SELECT now() < statement_timestamp() AS "isInside"')).rows
    }
    t.strictSame(await left('ROLLBACK'), [{ isInside: true }])
    t.strictSame(await left('BEGIN'), [{ isInside: false }])
  })

  await t.test('an id that is a text is refused by Prisma itself', async (t) => {
    const { prisma } = await open(t)
    await t.rejects(prisma.order.findUnique({ where: { id: '1' as unknown as number } }), {
      name: 'PrismaClientValidationError'
    })
  })
})
