import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { DataSource, type EntityManager } from 'typeorm'
import { ABSENT, EXISTS } from '../../test/support/expectations.js'
import { wave } from '../support/orders/transaction-cases.js'
import { ordersAdapter } from './orders-adapter.js'
import { Lines, Orders } from './orders-schema.js'

// Shows what the guide says of TypeORM on SQLite. If a later version behaves otherwise, the guide has to change.

async function open (t: Test) {
  const database = join(t.testdir(), 'test.db')
  new Database(database).exec(readFileSync('support/orders/sqlite.sql', 'utf8')).close()
  const connect = async () => {
    const source = new DataSource({
      type: 'better-sqlite3',
      database,
      timeout: 0,
      enableWAL: true,
      entities: [Orders, Lines]
    })
    t.teardown(async () => { await source.destroy() })
    return await source.initialize()
  }
  const source = await connect()
  return { source, connect, adapter: ordersAdapter(source) }
}

await t.test('a work that another process overtook between its look at the version and its write is refused by SQLite, and runs again', async (t) => {
  const { connect, adapter } = await open(t)
  const other = await connect()
  const key = '/orders/1'
  const created = await adapter.write(key, wave, ABSENT) as { version: string }
  const seen: Array<string | undefined> = []
  t.match(await adapter.transaction(key, EXISTS, async (tx: EntityManager, { version }) => {
    if (seen.push(version) === 1) await other.manager.update(Orders, { id: 1 }, { note: 'theirs' })
    await tx.update(Orders, { id: 1 }, { customer: 'Other' })
  }), { applied: true })
  t.equal(seen.length, 2)
  t.equal(seen[0], created.version)
  t.not(seen[1], created.version)
  t.match(await adapter.read(key), { value: { ...wave, customer: 'Other', note: 'theirs' } })
})

await t.test('insert() sends an id that the database could make, and there is no lock to ask for', async (t) => {
  const { source } = await open(t)
  await source.manager.insert(Orders, { id: 7, customer: 'New', note: null })
  t.equal(await source.manager.countBy(Orders, { id: 7 }), 1)
  await t.rejects(source.transaction(async (tx) =>
    await tx.findOne(Orders, { where: { id: 7 }, lock: { mode: 'pessimistic_write' } })
  ), { name: 'LockNotSupportedOnGivenDriverError' })
})
