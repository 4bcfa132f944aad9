// A process that writes in batches and notes each answer in a log. Started by `sqlite-fsync.test.ts`, with the file, the log,
// `synchronous`, how many batches, and how many writes each has.
import Database from 'better-sqlite3'
import { openSync, writeSync } from 'node:fs'
import { sqliteAdapter, type SqliteAdapterOptions } from '../../../lib/storage/sqlite/index.js'

const [file, log, synchronous, batches, size] = process.argv.slice(2) as [
  string,
  string,
  SqliteAdapterOptions['synchronous'] & string,
  string,
  string
]
const logged = openSync(log, 'a')
const adapter = sqliteAdapter({ database: new Database(file), synchronous })
await adapter.open!()
writeSync(logged, 'open\n')

for (let batch = 0; batch < Number(batches); batch++) {
  const write = async (at: number) => {
    // The last one finds what the first one made.
    const { applied } = await adapter.write(`${batch}/${at % (Number(size) - 1)}`, 'value', { kind: 'absent' })
    writeSync(logged, `${batch} ${applied ? 'applied' : 'refused'}\n`)
  }
  await Promise.all(Array.from({ length: Number(size) }, (_, at) => write(at)))
}

// What follows is the end of the process, which syncs as well.
writeSync(logged, 'done\n')
