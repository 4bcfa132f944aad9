import knex from 'knex'
import { addQuantities } from '../knex/orders-routes.js'
import { onMysql } from '../support/orders/mysql-trap-case.js'
import { connect } from './connect.js'

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
})
