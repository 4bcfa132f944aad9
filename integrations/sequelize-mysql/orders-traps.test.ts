import type { FastifyInstance } from 'fastify'
import { DataTypes, Sequelize } from 'sequelize'
import { addQuantities } from '../sequelize/orders-routes.js'
import { define, type Models } from '../sequelize/orders-schema.js'
import { onMysql } from '../support/orders/mysql-trap-case.js'
import { connect } from './connect.js'

// Shows what the guide says of Sequelize on MariaDB. If a later version behaves otherwise, the guide has to change.

const add = (app: FastifyInstance, { models }: { models: Models }) => addQuantities(app, models)

await onMysql('sequelize', connect, add, async (t, _client, newOrder, { address }) => {
  const ofMariadb = address.replace(/^mysql:/, 'mariadb:')
  const db = async (dialectOptions: object, address: string = ofMariadb) => {
    const db = new Sequelize(address, { dialect: 'mariadb', logging: false, dialectOptions })
    t.teardown(async () => { await db.close() })
    return { ...define(db, DataTypes.CHAR(36)), dialect: db.getDialect() }
  }

  await t.test('the scheme of the address is the dialect, whatever the option says', async (t) => {
    t.equal((await db({}, address)).dialect, 'mysql')
    t.equal((await db({})).dialect, 'mariadb')
  })

  await t.test('an update counts the rows that changed; with foundRows those that matched', async (t) => {
    const orderId = await newOrder()
    const counts = async (dialectOptions: object) => {
      const { Lines } = await db(dialectOptions)
      const same = async () => (await Lines.update({ quantity: 2 }, { where: { orderId } }))[0]
      await same()
      return await same()
    }
    t.equal(await counts({}), 0)
    t.equal(await counts({ foundRows: true }), 2)
  })

  await t.test('the number of an error is that of the original', async (t) => {
    const { Orders } = await db({})
    const id = await newOrder()
    await t.rejects(Orders.create({ id, customer: 'Twice', note: null }), {
      name: 'SequelizeUniqueConstraintError',
      original: { errno: 1062 }
    })
  })
})
