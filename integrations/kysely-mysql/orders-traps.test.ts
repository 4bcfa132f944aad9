import { Kysely, MysqlDialect } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/mysql'
import { createPool } from 'mysql2'
import { addQuantities } from '../kysely/orders-routes.js'
import type { Schema } from './orders-schema.js'
import { onMysql } from '../support/orders/mysql-trap-case.js'
import { connect } from './connect.js'

// Shows what the guide says of Kysely on MariaDB. If a later version behaves otherwise, the guide has to change.

await onMysql('kysely', connect, addQuantities, async (t, _client, newOrder, { address }) => {
  const db = new Kysely<Schema>({ dialect: new MysqlDialect({ pool: createPool(address) }) })
  t.teardown(async () => { await db.destroy() })

  await t.test('jsonArrayFrom() of kysely/helpers/mysql is refused by MariaDB', async (t) => {
    await t.rejects(db.selectFrom('orders').select((order) =>
      jsonArrayFrom(order.selectFrom('lines').select('sku').whereRef('order_id', '=', 'orders.id')).as('lines')
    ).execute(), { code: 'ER_PARSE_ERROR', errno: 1064 })
  })

  await t.test('an update counts the rows that matched, and those that changed; the number is that of the error itself', async (t) => {
    const id = await newOrder()
    const same = async () =>
      await db.updateTable('lines').set({ quantity: 2 }).where('order_id', '=', id).executeTakeFirst()
    await same()
    t.match(await same(), { numUpdatedRows: 2n, numChangedRows: 0n })
    await t.rejects(db.insertInto('orders').values({ id, customer: 'Twice', note: null }).execute(), {
      code: 'ER_DUP_ENTRY',
      errno: 1062
    })
  })
})
