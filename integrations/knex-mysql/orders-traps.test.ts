import knex, { type Knex } from 'knex'
import { addQuantities } from '../knex/orders-routes.js'
import { barrier } from '../../test/support/barrier.js'
import { until } from '../../test/support/until.js'
import { onMysql } from '../support/orders/mysql-trap-case.js'
import { wave } from '../support/orders/transaction-cases.js'
import { connect } from './connect.js'
import { inTransaction } from './in-transaction.js'

// Shows what the guide says of Knex on MariaDB. If a later version behaves otherwise, the guide has to change.

await onMysql('knex', connect, addQuantities, async (t, _client, newOrder, { address }) => {
  const db = knex({ client: 'mysql2', connection: address })
  t.teardown(async () => { await db.destroy() })

  await t.test('an update counts the rows that matched; an insert that a unique key ignores is not told from one that did', async (t) => {
    const id = await newOrder()
    const same = async () => await db('lines').where({ order_id: id }).update({ quantity: 2 })
    await same()
    t.equal(await same(), 2)
    const row = { id, customer: 'Twice' }
    await t.rejects(db('orders').insert(row), { code: 'ER_DUP_ENTRY', errno: 1062 })
    t.strictSame(await db('orders').insert(row).onConflict('id').ignore(), [0])
    t.strictSame(await db('orders').insert({ ...row, id: 1_000_000 }).onConflict('id').ignore(), [1_000_000])
  })

  await t.test('a work that ends its transaction itself: what others write over its connection afterwards is stored', async (t) => {
    const [id, other] = [await newOrder(), await newOrder()]
    const single = knex({ client: 'mysql2', connection: address, pool: { min: 0, max: 1 } })
    t.teardown(async () => { await single.destroy() })
    const rename = async (client: Knex, id: number): Promise<unknown> =>
      await client('orders').where({ id }).update({ customer: 'Other' })
    // Knex does not wait for the rest of the work.
    const rest = barrier()
    await inTransaction(single)(async (tx) => {
      await rename(tx, id)
      await tx.rollback()
      await until('Knex has another connection', async () => await rename(single, other).then(() => true, () => false))
      rest.open()
    })
    await rest.opened
    const customers = db('orders').whereIn('id', [id, other]).orderBy('id').select('customer')
    t.strictSame((await customers).map(({ customer }) => customer), [wave.customer, 'Other'])
  })
})
