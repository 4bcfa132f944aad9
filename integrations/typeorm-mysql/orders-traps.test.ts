import { DataSource } from 'typeorm'
import { addQuantities } from '../typeorm/orders-routes.js'
import { onMysql } from '../support/orders/mysql-trap-case.js'
import { connect } from './connect.js'

// Shows what the guide says of TypeORM on MariaDB. If a later version behaves otherwise, the guide has to change.

await onMysql('typeorm', connect, addQuantities, async (t, _client, newOrder, { address }) => {
  const source = await new DataSource({ type: 'mariadb', url: address }).initialize()
  t.teardown(async () => { await source.destroy() })

  await t.test('the number of an error is that of the driverError', async (t) => {
    const id = await newOrder()
    await t.rejects(source.query('INSERT INTO orders (id, customer) VALUES (?, ?)', [id, 'Twice']), {
      code: 'ER_DUP_ENTRY',
      driverError: { errno: 1062 }
    })
  })
})
