import t from 'tap'
import { mysqlAdapter } from '../../../lib/storage/mysql/index.js'
import { ANY } from '../../support/expectations.js'
import { assertSurvivesKills } from '../../support/killed-under-load.js'
import { rowsOf } from '../../support/mysql/drivers.js'
import { loggedWrites } from '../../support/mysql/logged-writes.js'
import { countedPool } from '../../support/mysql/pools.js'
import { openedAdapter, PATIENT } from '../../support/mysql/subjects.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { skipWithoutTrace, syncsOf } from '../../support/strace.js'

const LOAD = { kills: 3, writers: 16, acknowledged: 300 }

for (const driver of ['mysql2', 'mariadb']) {
  await t.test(`mysql: ${driver}: the server is killed ${LOAD.kills} times under load; each acknowledged write is stored once, and no write that was refused or unavailable`, { skip: skipWithoutOwn('mysql') }, async (t) => {
    const service = await startMariadb(t, { own: true })
    // Short, for while the server is down: the driver mariadb waits so long for a connection that it cannot have.
    const { client } = countedPool(t, driver, service.url, { connections: LOAD.writers, patience: 300 })
    const { adapter, table } = await openedAdapter(client)
    // Over a pool of its own: that of the driver mariadb goes on slowly after an outage.
    const { client: reader } = countedPool(t, 'mysql2', service.url)
    const valuesSoFar = await loggedWrites(reader, table)
    // A killed process shows nothing about the disk (engine-facts#any-engine-sigkill-proves-no-fsync): this does.
    const rows = rowsOf(await client.query('SELECT @@innodb_flush_log_at_trx_commit AS setting'))
    t.match(rows, [{ setting: 1 }])
    await assertSurvivesKills(t, { service, adapter, valuesSoFar, ...LOAD })
    const stored = await mysqlAdapter({ client: reader, table, ...PATIENT }).list('0/', { limit: 1000 })
    t.ok(stored.items.every(({ value }) => String(value).endsWith('create')))
  })
}

await t.test('mysql: each write is answered after the log reached the disk', { skip: skipWithoutOwn('mysql') || skipWithoutTrace() }, async (t) => {
  const service = await startMariadb(t, { own: true })
  const { client } = countedPool(t, 'mysql2', service.url, { connections: 1 })
  const { adapter } = await openedAdapter(client)
  await adapter.write('k', 'first', ANY)
  const syncs = await syncsOf(t, service.pid!)
  // How many of so many writes were answered without a sync that began after they were sent.
  const unsynced = async (writes: number): Promise<number> => {
    let count = 0
    for (let write = 0; write < writes; write++) {
      const before = syncs.count()
      await adapter.write('k', write, ANY)
      if (syncs.count() === before) count++
    }
    return count
  }
  t.equal(await unsynced(50), 0)
  await client.query('SET GLOBAL innodb_flush_log_at_trx_commit = 2')
  t.ok(await unsynced(50) > 25, 'without, so the test above can fail')
  await syncs.stop()
})
