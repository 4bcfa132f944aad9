import { eq, relations } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/mysql2'
import mysql2 from 'mysql2/promise'
import { EXISTS } from '../../test/support/expectations.js'
import { onMysql } from '../support/orders/mysql-trap-case.js'
import { wave } from '../support/orders/transaction-cases.js'
import { connect } from './connect.js'
import type { Tx } from './orders-adapter.js'
import { addQuantities } from './orders-routes.js'
import { lines, orders } from './orders-schema.js'

// Shows what the guide says of Drizzle on MariaDB. If a later version behaves otherwise, the guide has to change.

const schema = {
  orders,
  lines,
  ofOrders: relations(orders, ({ many }) => ({ lines: many(lines) })),
  ofLines: relations(lines, ({ one }) => ({ order: one(orders, { fields: [lines.orderId], references: [orders.id] }) }))
}

await onMysql('drizzle', connect, addQuantities, async (t, { adapter }, newOrder, { address }) => {
  const pool = mysql2.createPool(address)
  t.teardown(async () => { await pool.end() })

  await t.test('"with" is a lateral join, which MariaDB refuses; in the mode "planetscale" it is none', async (t) => {
    const id = await newOrder()
    const find = async (mode: 'default' | 'planetscale') => await drizzle({ client: pool, schema, mode })
      .query.orders.findFirst({ where: eq(orders.id, id), with: { lines: { columns: { sku: true, quantity: true } } } })
    await t.rejects(find('default'), { cause: { errno: 1064 } })
    t.match((await find('planetscale'))?.lines, wave.lines)
  })

  await t.test('an update counts the rows that matched; the number of an error is that of the cause', async (t) => {
    const id = await newOrder()
    const db = drizzle({ client: pool })
    const same = async (id: number) => (await db.update(lines).set({ quantity: 2 }).where(eq(lines.orderId, id)))[0]
    await same(id)
    t.match([await same(id), await same(-1)], [{ affectedRows: 2, changedRows: 0 }, { affectedRows: 0 }])
    await t.rejects(db.insert(orders).values({ id, customer: 'Twice' }), { cause: { errno: 1062 } })
  })

  await t.test('transaction() of tx is a savepoint: what fails in it is undone, and the rest is stored', async (t) => {
    const id = await newOrder()
    const result = await adapter.transaction(`/orders/${id}`, EXISTS, async (tx: Tx) => {
      await tx.update(orders).set({ customer: 'Other' }).where(eq(orders.id, id))
      await t.rejects(tx.transaction(async (tx) => {
        await tx.update(orders).set({ note: 'inner' }).where(eq(orders.id, id))
        await tx.insert(lines).values({ orderId: id, position: 99, sku: 'apple', quantity: 9 })
      }), { cause: { errno: 1062 } })
    })
    t.match(result, { applied: true })
    t.strictSame((await adapter.read(`/orders/${id}`))?.value, { ...wave, customer: 'Other' })
  })
})
