import Database from 'better-sqlite3'
import t from 'tap'
import { fileOf, FaultyHandle } from '../../support/sqlite/handles.js'
import { tableCases } from '../../support/table-adapter/cases.js'
import { conformance } from '../../support/table-adapter/conformance.js'
import type { TableEngine } from '../../support/table-adapter/engine.js'

function engineOf (file: string): TableEngine & { handles: FaultyHandle[] } {
  const open = (): FaultyHandle => {
    const database = new Database(file)
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = OFF')
    t.teardown(() => database.close())
    return new FaultyHandle(database)
  }
  const [client, other, past] = [open(), open(), open()]
  return {
    dialect: 'sqlite',
    client,
    other,
    handles: [client, other],
    run: async (sql) => past.exec(sql),
    rows: async (sql) => past.prepare(sql).all(),
    async rolledBack (steps) {
      const tx = new Database(file)
      tx.exec('BEGIN IMMEDIATE')
      await steps(tx)
      tx.exec('ROLLBACK')
      tx.close()
    }
  }
}

const engine = engineOf(fileOf(t))
await conformance(t, engine, async () => {
  for (const handle of engine.handles) handle.isCut = true
  return async () => { for (const handle of engine.handles) handle.isCut = false }
})
await tableCases(t, 'sqlite', engine)
