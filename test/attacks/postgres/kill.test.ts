import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { postgresAdapter } from '../../../lib/storage/postgres/index.js'
import { ABSENT, ANY } from '../../support/expectations.js'
import { loggedWrites, openedAdapter, PATIENT, poolTo } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithoutOwn } from '../../support/services/programs.js'

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

  const written = {
    acknowledged: [] as string[],
    refused: [] as string[],
    UNAVAILABLE: [] as string[],
    UNKNOWN: [] as string[]
  }
  for (let kill = 0; kill < KILLS; kill++) {
    const load = { isOver: false }
    let count = 0
    let reached = () => {}
    const enough = new Promise<void>((resolve) => { reached = resolve })
    const note = async (name: string, key: string, expectation: Parameters<typeof adapter.write>[2]) => {
      try {
        const { applied } = await adapter.write(key, name, expectation)
        written[applied ? 'acknowledged' : 'refused'].push(name)
        if (applied && ++count === ACKNOWLEDGED) reached()
      } catch (error) {
        load.isOver = true
        const { code } = error as { code: string }
        if (code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE') written.UNAVAILABLE.push(name)
        else if (code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') written.UNKNOWN.push(name)
        else throw error
      }
    }
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let index = 0; index < 100_000 && !load.isOver; index++) {
        const key = `${kill}/${writer}/${index}`
        await note(`${key}/create`, key, ABSENT)
        await note(`${key}/again`, key, ABSENT)
        await note(`${key}/shared`, 'shared', ANY)
      }
    })
    await enough
    await service.kill()
    await Promise.all(writers)
    await service.restart()
    const logged = await valuesSoFar() as string[]
    const there = new Set(logged)
    t.equal(there.size, logged.length, 'none is there twice')
    t.strictSame(written.acknowledged.filter((name) => !there.has(name)), [], 'none that was acknowledged is lost')
    t.strictSame(
      [...written.refused, ...written.UNAVAILABLE].filter((name) => there.has(name)),
      [],
      'none that was refused or unavailable is there'
    )
  }
  const stored = await postgresAdapter({ client: pool, table, ...PATIENT }).list('0/', { limit: 1000 })
  t.ok(stored.items.every(({ value }) => String(value).endsWith('create')))
  t.comment(Object.entries(written).map(([what, names]) => `${names.length} ${what}`).join(', '))
})

// The calls of the backend that carries out the statements. It has no rival, so each of its commits syncs the log once.
const STRACE = ['-f', '-e', 'trace=fdatasync,fsync']
const isBlind = spawnSync('strace', [...STRACE, '-o', '/dev/null', 'true']).status !== 0

await t.test('postgres: each write, and each refusal behind one, is answered after the log reached the disk', { skip: skipWithoutOwn('postgres') || (isBlind && process.env.CI !== 'true' && 'no strace') }, async (t) => {
  const service = await startPostgres(t, { settings: { wal_sync_method: 'fdatasync', autovacuum: 'off' } })
  const syncsOf = async (options: string): Promise<number> => {
    const pool = poolTo(t, service.url, { max: 1, options })
    const { adapter } = await openedAdapter(pool)
    const { rows: [backend] } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const strace = spawn('strace', [...STRACE, '-p', String(backend!.pid)], { stdio: ['ignore', 'ignore', 'pipe'] })
    let trace = ''
    strace.stderr.setEncoding('utf8').on('data', (text: string) => { trace += text })
    while (!trace.includes('attached')) await once(strace.stderr, 'data')
    for (let write = 0; write < 50; write++) await adapter.write('k', write, ANY)
    const exited = once(strace, 'exit')
    strace.kill('SIGINT')
    await exited
    return trace.match(/f(data)?sync\(/g)?.length ?? 0
  }
  t.ok(await syncsOf('-c synchronous_commit=on') >= 50)
  t.ok(await syncsOf('-c synchronous_commit=off') < 5, 'without, so the test above can fail')
})
