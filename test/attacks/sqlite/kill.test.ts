import Database from 'better-sqlite3'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { sqliteAdapter } from '../../../lib/storage/sqlite/index.js'
import { fileOf } from '../../support/sqlite/handles.js'

const WRITER = fileURLToPath(new URL('writer.js', import.meta.url))
const KILLS = 20
const ACKNOWLEDGED = 1000

/** Runs a writer until it has so many acknowledgements, kills it, and returns all of them. */
async function killed (file: string, run: string): Promise<string[]> {
  const log = `${file}.${run}.log`
  const child = spawn(process.execPath, [WRITER, file, log, run], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let dots = 0
  child.stdout.on('data', (chunk: Buffer) => {
    dots += chunk.length
    if (dots >= ACKNOWLEDGED) child.kill('SIGKILL')
  })
  const [, signal] = await closed
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${signal}`)
  return readFileSync(log, 'utf8').split('\n').slice(0, -1)
}

await t.test(`sqlite: ${KILLS} processes are killed under load; every acknowledged write is stored, and no refused one`, async (t) => {
  const file = fileOf(t)
  const database = new Database(file)
  t.teardown(() => database.close())
  const adapter = sqliteAdapter({ database })
  await adapter.open!()
  let total = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const acknowledged = await killed(file, String(kill))
    total += acknowledged.length
    t.ok(acknowledged.length >= ACKNOWLEDGED)
    const lost: string[] = []
    for (const line of acknowledged) {
      const [key, version] = line.split(' ') as [string, string]
      const stored = await adapter.read(key)
      if (stored?.version !== version || stored.value !== 'acknowledged') lost.push(line)
    }
    t.same(lost, [], `kill ${kill}`)
  }
  t.equal(database.pragma('integrity_check', { simple: true }), 'ok')
  t.equal(
    database.prepare('SELECT count(*) FROM entities WHERE value <> ?').pluck().get('"acknowledged"'),
    0,
    'nothing refused is stored'
  )
  t.comment(`${total} acknowledged writes`)
})
