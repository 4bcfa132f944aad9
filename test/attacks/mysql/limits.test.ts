import t from 'tap'
import { mysqlAdapter } from '../../../lib/storage/mysql/index.js'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { driversOf } from '../../support/mysql/drivers.js'
import { inTransaction, lockRows } from '../../support/mysql/locks.js'
import { openedAdapter, PATIENT } from '../../support/mysql/subjects.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithoutOwn } from '../../support/services/programs.js'

const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'

await t.test('mysql: settings of the server that are in the way', { skip: skipWithoutOwn('mysql') }, async (t) => {
  const { url } = await startMariadb(t, { own: true, settings: { 'innodb-rollback-on-timeout': '1' } })
  const steady = driversOf(url)[0]!.pool(t)

  for (const driver of driversOf(url)) {
    const { name } = driver

    await t.test(`${name}: at the limit of prepared statements a request is answered with 503, which names it; nothing is applied`, async (t) => {
      const { adapter, table } = await openedAdapter(driver.pool(t))
      await adapter.write('k', 'before', ABSENT)
      await steady.query('SET GLOBAL max_prepared_stmt_count = 0')
      const late = mysqlAdapter({ client: driver.pool(t), table, ...PATIENT })
      const operations: Array<() => Promise<unknown>> = [
        () => late.write('k', 'mine', ANY), () => late.remove('k', EXISTS), () => late.read('k')
      ]
      for (const operation of operations) {
        await t.rejects(operation(), { code: UNAVAILABLE, cause: { message: /max_prepared_stmt_count is reached/ } })
      }
      await t.rejects(late.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /max_prepared_stmt_count/ })
      await steady.query('SET GLOBAL max_prepared_stmt_count = 16382')
      t.match(await late.read('k'), { value: 'before' })
      t.match(await late.write('k', 'mine', ANY), { applied: true, created: false })
    })

    await t.test(`${name}: a connection with sql_safe_updates and max_statement_time works as others`, async (t) => {
      const connection = await driver.connect(t)
      await connection.query('SET SESSION sql_safe_updates = 1, max_statement_time = 100')
      const { adapter } = await openedAdapter(connection)
      for (const key of ['a', 'b', 'c']) t.match(await adapter.write(key, 1, ABSENT), { applied: true })
      t.match(await adapter.write('a', 2, EXISTS), { applied: true })
      t.match(await adapter.write('a', 2, ANY), { created: false })
      t.equal((await adapter.list('')).items.length, 3)
      t.match(await adapter.remove('a', EXISTS), { applied: true })
    })

    await t.test(`${name}: where the server rolls the whole transaction back for a lock, nothing that follows is stored`, async (t) => {
      const pool = driver.pool(t)
      const { adapter, table } = await openedAdapter(pool)
      await adapter.write('k', 'before', ABSENT)
      const client = await pool.getConnection()
      t.teardown(() => { client.destroy() })
      const context = { client }
      await client.query('SET SESSION innodb_lock_wait_timeout = 1')
      await client.query('BEGIN')
      await adapter.write('new', 1, ABSENT, { context })
      const end = await inTransaction(t, steady, `${lockRows(table)} WHERE \`key\` = 'k'`)
      await t.rejects(adapter.write('k', 'mine', EXISTS, { context }), { code: 'FST_IF_MATCH_CONTENTION' })
      await end('ROLLBACK')
      await t.rejects(adapter.write('other', 1, ABSENT, { context }), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
      await client.query('COMMIT')
      t.match((await adapter.list('')).items, [{ key: 'k', value: 'before' }])
      t.equal((await adapter.list('')).items.length, 1)
    })

    await t.test(`${name}: a server that becomes read only refuses, the connection leaves the pool, and the boot says so`, async (t) => {
      const { table } = await openedAdapter(steady)
      await steady.query('CREATE OR REPLACE USER reader')
      await steady.query('GRANT ALL ON test.* TO reader')
      const client = driver.pool(t, { user: 'reader', connectionLimit: 1 })
      const adapter = mysqlAdapter({ client, table, ...PATIENT })
      t.match(await adapter.write('k', 1, ANY), { applied: true })
      await steady.query('SET GLOBAL read_only = 1')
      await t.rejects(adapter.write('k', 2, ANY), { code: UNAVAILABLE, cause: { message: /read only.*primary/ } })
      await t.rejects(adapter.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /read only.*primary/ })
      t.match(await adapter.read('k'), { value: 1 }, 'what it has can be read')
      await steady.query('SET GLOBAL read_only = 0')
      t.match(await adapter.write('k', 2, ANY), { applied: true })
    })
  }
})
