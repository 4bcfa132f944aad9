import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { addQuantities } from '../prisma/orders-routes.js'
import { EXISTS } from '../../test/support/expectations.js'
import { until } from '../../test/support/until.js'
import { onMysql } from '../support/orders/mysql-trap-case.js'
import { wave } from '../support/orders/transaction-cases.js'
import { connect } from './connect.js'
import { PrismaClient } from './generated/client.js'
import { ordersAdapter, type Tx } from './orders-adapter.js'

// Shows what the page says of Prisma on MariaDB. If a later version behaves otherwise, the page has to change.

await onMysql('Prisma', connect, addQuantities, async (t, { adapter }, newOrder, { address }) => {
  const prisma = new PrismaClient({ adapter: new PrismaMariaDb(address) })
  t.teardown(async () => { await prisma.$disconnect() })

  await t.test('the number of an error is inside of meta', async (t) => {
    const id = await newOrder()
    const inMeta = (originalCode: string, code: string) =>
      ({ code, meta: { driverAdapterError: { cause: { originalCode } } } })
    await t.rejects(prisma.order.create({ data: { id, customer: 'x' } }), inMeta('1062', 'P2002'))
    const line = { orderId: id, position: 99, sku: 'plum', quantity: 1 }
    await t.rejects(prisma.line.create({ data: { ...line, orderId: 0 } }), inMeta('1452', 'P2003'))
    await t.rejects(prisma.line.create({ data: { ...line, quantity: 0 } }), inMeta('4025', 'P2039'))
  })

  await t.test('updateMany counts the rows that matched', async (t) => {
    const orderId = await newOrder()
    const same = async () => await prisma.line.updateMany({ where: { orderId }, data: { quantity: 2 } })
    await same()
    t.strictSame(await same(), { count: 2 })
  })

  await t.test('tx has a $transaction too, which is a savepoint: what fails in it is undone, and the rest is stored', async (t) => {
    const id = await newOrder()
    t.match(await adapter.transaction(`/orders/${id}`, EXISTS, async (tx: Tx) => {
      await tx.order.update({ where: { id }, data: { customer: 'Other' } })
      await t.rejects((tx as PrismaClient).$transaction(async (tx) => {
        await tx.order.update({ where: { id }, data: { note: 'inner' } })
        await tx.line.create({ data: { orderId: id, position: 99, sku: 'apple', quantity: 9 } })
      }), { code: 'P2002' })
    }), { applied: true })
    t.strictSame((await adapter.read(`/orders/${id}`))?.value, { ...wave, customer: 'Other' })
  })

  await t.test('a work that outlasts the timeout is STORAGE_UNAVAILABLE, and what others write over its connection meanwhile is stored', async (t) => {
    const [id, other] = [await newOrder(), await newOrder()]
    const single = new URL(address)
    single.searchParams.set('connectionLimit', '1')
    const impatient = new PrismaClient({
      adapter: new PrismaMariaDb(single.href),
      transactionOptions: { timeout: 1000 }
    })
    t.teardown(async () => { await impatient.$disconnect() })
    const rename = async (client: Tx, id: number): Promise<unknown> =>
      await client.order.updateMany({ where: { id }, data: { customer: 'Other' } })
    await t.rejects(ordersAdapter(impatient).transaction(`/orders/${id}`, EXISTS, async (tx: Tx) => {
      await rename(tx, id)
      await until('Prisma gave the connection back', async () =>
        await rename(impatient, other).then(() => true, () => false))
      await rename(tx, id)
    }), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { code: 'P2028' } })
    t.strictSame((await adapter.read(`/orders/${id}`))?.value, wave)
    t.strictSame((await adapter.read(`/orders/${other}`))?.value, { ...wave, customer: 'Other' })
  })
})
