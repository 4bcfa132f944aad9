import mysql, { type Pool, type PoolConnection } from 'mysql2/promise'
import t, { type Test } from 'tap'
import { mysqlAdapter, type MysqlClient } from '../../../lib/storage/mysql/index.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { PATIENT } from '../../support/mysql/subjects.js'
import { startReplicated } from '../../support/services/mariadb-replica.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import type { Service } from '../../support/services/service.js'
import { until } from '../../support/until.js'
import { withoutPauses } from '../../support/without-pauses.js'

const skip = skipWithoutOwn('mysql')

await t.test('mysql replica: what it is asked for may be of before, and it takes no write', { skip }, async (t) => {
  const { primary, replica, hold, catchUp } = await startReplicated(t)
  const [there, late] = [poolTo(t, primary), poolTo(t, replica)]
  const table = 'entities'
  const adapter = mysqlAdapter<string>({ client: there, ...PATIENT })
  await adapter.createTable()
  await catchUp()
  const ofReplica = mysqlAdapter<string>({ client: late, ...PATIENT })

  await t.test('mysql replica: its boot refuses it, and a write is unavailable, with the hint to connect to the primary', async (t) => {
    await t.rejects(ofReplica.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /primary/ })
    for (const expectation of [ANY, ABSENT, EXISTS]) {
      await t.rejects(
        ofReplica.write('refused', 'x', expectation),
        { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /primary.*1290/ } }
      )
    }
    t.equal(await adapter.read('refused'), undefined)
  })

  await t.test('mysql replica: the version that it shows while it is behind is refused at the primary, with the newest entity', async (t) => {
    await adapter.write('seen', 'one', ANY)
    await catchUp()
    await hold()
    await adapter.write('seen', 'two', ANY)
    const seen = await ofReplica.read('seen')
    t.match(seen, { value: 'one' }, 'it is behind')
    t.match(
      await adapter.write('seen', 'lost', versionIn(seen!.version)),
      { applied: false, current: { value: 'two', replaced: seen!.version } },
      'nothing is lost'
    )
    await catchUp()
    t.match(await ofReplica.read('seen'), { value: 'two' })
  })

  await t.test('mysql replica: where a router sends each SELECT to it, a refusal waits for the replica, and no refusal has an entity that satisfies the condition', async (t) => {
    await adapter.write('routed', 'one', ANY)
    await catchUp()
    await hold()
    await adapter.write('routed', 'two', ANY)
    const before = (await ofReplica.read('routed'))!.version
    let reads = 0
    const split = router(there, late, async () => {
      reads++
      // The one for the version of the server, the first after the refusal, and the second one.
      if (reads === 3) await catchUp()
    })
    const routed = mysqlAdapter<string>({ client: split, table, ...PATIENT })
    t.match(
      await routed.write('routed', 'lost', versionIn(before)),
      { applied: false, current: { value: 'two', replaced: before } }
    )
    t.equal(reads, 3, 'it read again')
  })

  await t.test('mysql replica: where a router sends each SELECT to it, and it stays behind, a write that nothing stands in the way of is a fault, and no 412', async (t) => {
    withoutPauses(t)
    await adapter.write('behind', 'one', ANY)
    await catchUp()
    await hold()
    await adapter.write('behind', 'two', ANY)
    await adapter.write('new', 'there', ANY)
    const before = (await ofReplica.read('behind'))!.version
    const routed = mysqlAdapter<string>({ client: router(there, late), table, ...PATIENT })
    await t.rejects(routed.write('behind', 'x', versionIn(before)), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
    await t.rejects(routed.write('new', 'x', ABSENT), { code: /^FST_IF_MATCH_(CONSTRAINT|STORAGE_FAULT)$/ })
    t.match(await adapter.read('behind'), { value: 'two' }, 'nothing was changed')
    t.match(await adapter.read('new'), { value: 'there' })
  })
})

await t.test('mysql replica: a failover loses what had not arrived; the versions that went with it are refused, and never come back', { skip }, async (t) => {
  const { primary, replica, hold, catchUp, promote } = await startReplicated(t)
  const old = mysqlAdapter<string>({ client: poolTo(t, primary), ...PATIENT })
  await old.createTable()
  const kept = await old.write('key', 'kept', ANY)
  await catchUp()
  await hold()
  const lost = await old.write('key', 'lost', ANY)
  const created = await old.write('created', 'lost', ABSENT)
  if (!kept.applied || !lost.applied || !created.applied) throw new Error('not applied')
  await primary.kill()
  await promote()

  const adapter = mysqlAdapter<string>({ client: poolTo(t, replica), ...PATIENT })
  await adapter.open!()
  t.match(await adapter.read('key'), { value: 'kept', version: kept.version }, 'acknowledged writes are gone')
  t.match(await adapter.write('key', 'x', versionIn(lost.version)), { applied: false, current: { value: 'kept' } })
  t.match(await adapter.write('created', 'x', versionIn(created.version)), { applied: false, current: undefined })
  const next = await adapter.write('key', 'lost', versionIn(kept.version))
  t.match(next, { applied: true }, 'the version before is the current one again')
  t.not((next as { version: string }).version, lost.version, 'the same content has another version')
})

await t.test('mysql replica: with semi-synchronous replication no write is acknowledged before it has arrived', { skip }, async (t) => {
  const { primary, replica, hold, catchUp } = await startReplicated(t, {
    'rpl-semi-sync-master-enabled': '1',
    'rpl-semi-sync-slave-enabled': '1',
    'rpl-semi-sync-master-wait-point': 'AFTER_SYNC',
    // After that it would go on without the replica.
    'rpl-semi-sync-master-timeout': '600000'
  })
  const pool = poolTo(t, primary)
  const adapter = mysqlAdapter<string>({ client: pool, ...PATIENT })
  await adapter.createTable()
  await catchUp()
  await hold()
  let acknowledged = false
  const write = adapter.write('key', 'value', ANY).finally(() => { acknowledged = true })
  await until('the primary waits for the replica', async () => {
    const [rows] = await pool.query("SHOW STATUS LIKE 'Rpl_semi_sync_master_wait_sessions'")
    return (rows as Array<{ Value: string }>)[0]?.Value === '1'
  })
  t.equal(acknowledged, false)
  t.equal(await adapter.read('key'), undefined, 'and nobody sees it')
  await catchUp()
  t.match(await write, { applied: true, created: true })
  await catchUp()
  t.match(await mysqlAdapter<string>({ client: poolTo(t, replica), ...PATIENT }).read('key'), { value: 'value' })
})

// A user with rights of an administrator could write to a replica.
function poolTo (t: Test, service: Service): Pool {
  const pool = mysql.createPool({ uri: service.url.replace('root@', 'app@'), connectionLimit: 4 })
  t.teardown(() => { void pool.end().catch(() => {}) })
  return pool
}

/** A proxy that looks at each statement: those that read go to the replica, all others to the primary. */
function router (primary: Pool, replica: Pool, ahead: () => Promise<void> = async () => {}): MysqlClient {
  return {
    async execute () { throw new Error('not used') },
    async getConnection () {
      const [writes, reads] = [await primary.getConnection(), await replica.getConnection()]
      return {
        async execute (statement: { sql: string }, values: string[]) {
          const isRead = statement.sql.startsWith('SELECT')
          if (isRead) await ahead()
          return await (isRead ? reads : writes).execute(statement, values)
        },
        release () { for (const one of [writes, reads]) one.release() },
        destroy () { for (const one of [writes, reads] as PoolConnection[]) one.destroy() }
      }
    }
  } as MysqlClient
}
