// A process that writes in batches and notes each answer in a log. `fsync.test.ts` starts it with these arguments: the
// file, the log, `synchronous`, how many batches, and how many writes each batch has.
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
  const write = async (index: number) => {
    // The last write has the key of the first one, and is refused.
    const { applied } = await adapter.write(`${batch}/${index % (Number(size) - 1)}`, 'value', { kind: 'absent' })
    writeSync(logged, `${batch} ${applied ? 'applied' : 'refused'}\n`)
  }
  await Promise.all(Array.from({ length: Number(size) }, (_, index) => write(index)))
}

// The end of the process syncs as well, and does not count.
writeSync(logged, 'done\n')
