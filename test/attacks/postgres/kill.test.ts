import t from 'tap'
import { postgresAdapter } from '../../../lib/storage/postgres/index.js'
import { ANY } from '../../support/expectations.js'
import { assertSurvivesKills } from '../../support/killed-under-load.js'
import { loggedWrites, openedAdapter, PATIENT, poolTo } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { skipWithoutTrace, syncsOf } from '../../support/strace.js'

const KILLS = 4
const WRITERS = 16
const ACKNOWLEDGED = 300

await t.test(`postgres: the server is killed ${KILLS} times under load; each acknowledged write is stored once, and no write that was refused or unavailable`, { skip: skipWithoutOwn('postgres') }, async (t) => {
  const service = await startPostgres(t, { own: true })
  const pool = poolTo(t, service.url, { max: WRITERS })
  const { adapter, table } = await openedAdapter(pool)
  const valuesSoFar = await loggedWrites(pool, table)
  // A killed process shows nothing about the disk (engine-facts#any-engine-sigkill-proves-no-fsync): these settings do.
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    t.same((await pool.query(`SELECT current_setting('${setting}') AS value`)).rows, [{ value: 'on' }], setting)
  }
  const load = { kills: KILLS, writers: WRITERS, acknowledged: ACKNOWLEDGED }
  await assertSurvivesKills(t, { service, adapter, valuesSoFar, ...load })
  const stored = await postgresAdapter({ client: pool, table, ...PATIENT }).list('0/', { limit: 1000 })
  t.ok(stored.items.every(({ value }) => String(value).endsWith('create')))
})

await t.test('postgres: each write, and each refusal behind one, is answered after the log reached the disk', { skip: skipWithoutOwn('postgres') || skipWithoutTrace() }, async (t) => {
  const service = await startPostgres(t, { settings: { wal_sync_method: 'fdatasync', autovacuum: 'off' } })
  // Of the backend that carries out the statements. It has no rival, so each of its commits syncs the log once.
  const syncsWith = async (options: string): Promise<number> => {
    const pool = poolTo(t, service.url, { max: 1, options })
    const { adapter } = await openedAdapter(pool)
    const { rows: [backend] } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const syncs = await syncsOf(t, backend!.pid)
    for (let write = 0; write < 50; write++) await adapter.write('k', write, ANY)
    await syncs.stop()
    return syncs.count()
  }
  t.ok(await syncsWith('-c synchronous_commit=on') >= 50)
  t.ok(await syncsWith('-c synchronous_commit=off') < 5, 'without, so the test above can fail')
})
