// A process that writes until it is killed. `kill.test.ts` starts it with these arguments: the file, its log, and the
// name of the run.
import Database from 'better-sqlite3'
import { openSync, writeSync } from 'node:fs'
import { sqliteAdapter } from '../../../lib/storage/sqlite/index.js'

const [file, log, run] = process.argv.slice(2) as [string, string, string]
const logged = openSync(log, 'a')
const adapter = sqliteAdapter({ database: new Database(file) })
await adapter.open!()

// Each writer creates an entity, and tries to create it once more, which is refused.
async function writer (name: string): Promise<void> {
  for (let index = 0; index < 100_000; index++) {
    const key = `${run}/${name}/${index}`
    const created = await adapter.write(key, 'acknowledged', { kind: 'absent' })
    // A line that the system has taken survives the process.
    if (created.applied) writeSync(logged, `${key} ${created.version}\n`)
    const refused = await adapter.write(key, 'refused', { kind: 'absent' })
    if (refused.applied) writeSync(logged, `${key} twice\n`)
    process.stdout.write('.')
  }
}

await Promise.all(Array.from({ length: 32 }, (_, index) => writer(String(index))))
