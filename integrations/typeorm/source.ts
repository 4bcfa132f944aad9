import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Test } from 'tap'
import { DataSource, type EntitySchema } from 'typeorm'
import { NOTES } from '../support/client-table.js'
import { Offers } from './offers-adapter.js'
import { schema } from './schema.js'

/** A file with the tables, and the connection of another process on it. */
export function newFile (t: Test): { file: string, other: Database.Database } {
  const file = join(t.testdir(), 'test.db')
  const other = new Database(file, { timeout: 0 })
  t.teardown(() => { other.close() })
  other.pragma('journal_mode = WAL')
  other.exec(`${schema}; ${NOTES}`)
  return { file, other }
}

/** A source on the file, closed when the test ends. */
export async function sourceOn (t: Test, file: string): Promise<DataSource> {
  const source = new DataSource({ type: 'better-sqlite3', database: file, timeout: 0, entities: [Offers] })
  t.teardown(async () => { await source.destroy() })
  return await source.initialize()
}

/** A source in memory, with the table of this entity. */
export async function sourceOf (t: Test, entity: EntitySchema): Promise<DataSource> {
  const source = new DataSource({ type: 'better-sqlite3', database: ':memory:', entities: [entity], synchronize: true })
  t.teardown(async () => { await source.destroy() })
  return await source.initialize()
}
