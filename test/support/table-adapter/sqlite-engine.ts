import type { Test } from 'tap'
import { FaultyHandle, fileOf, type OpenFile } from '../sqlite/handles.js'
import { tableCases } from './cases.js'
import { conformance } from './conformance.js'
import type { TableEngine } from './engine.js'

/** The cases of tables and the conformance suite on SQLite, with one driver. */
export async function sqliteCases (t: Test, name: string, open: OpenFile): Promise<void> {
  const file = fileOf(t)
  const opened = (): FaultyHandle => {
    const database = open(file)
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = OFF')
    t.teardown(() => database.close())
    return new FaultyHandle(database)
  }
  const [client, other, past] = [opened(), opened(), opened()]
  const engine: TableEngine = {
    dialect: 'sqlite',
    client,
    other,
    run: async (sql) => past.exec(sql),
    rows: async (sql) => past.prepare(sql).all().map((row) => ({ ...row as object })),
    async rolledBack (steps) {
      const tx = open(file)
      tx.exec('BEGIN IMMEDIATE')
      await steps(tx)
      tx.exec('ROLLBACK')
      tx.close()
    }
  }
  const setCut = (isCut: boolean): void => { for (const handle of [client, other]) handle.isCut = isCut }
  await conformance(t, engine, async () => {
    setCut(true)
    return async () => setCut(false)
  })
  await tableCases(t, name, engine)
}
