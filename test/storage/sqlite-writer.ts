// A process that writes until it is killed. Started by `sqlite-kill.test.ts`, with the file and the name of the run.
import Database from 'better-sqlite3'
import { writeSync } from 'node:fs'
import { sqliteAdapter } from '../../lib/storage/sqlite.js'

const [file, run] = process.argv.slice(2) as [string, string]
const adapter = sqliteAdapter({ database: new Database(file) })
await adapter.open!()

// Each writer creates an entity, and tries to create it once more, which is refused.
async function writer (name: string): Promise<void> {
  for (let at = 0; at < 100_000; at++) {
    const key = `${run}/${name}/${at}`
    const created = await adapter.write(key, 'acknowledged', { kind: 'absent' })
    // Written at once: what a pipe has taken survives the process.
    if (created.applied) writeSync(1, `${key} ${created.version}\n`)
    const refused = await adapter.write(key, 'refused', { kind: 'absent' })
    if (refused.applied) writeSync(1, `${key} applied twice\n`)
  }
}

await Promise.all(Array.from({ length: 32 }, (_, at) => writer(String(at))))
