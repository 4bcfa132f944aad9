import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import type { CreateAdapter } from 'fastify-if-match/conformance'
import {
  sqliteAdapter,
  type SqliteAdapterOptions,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteValue
} from 'fastify-if-match/storage/sqlite'

/** The table as the adapter makes it. */
export const TABLE =
  'CREATE TABLE entities (key TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, replaced TEXT, digest TEXT, ' +
  'value TEXT NOT NULL)'

/** A handle of any driver. */
export interface Handle extends SqliteDatabase {
  close (): unknown
}

/** Opens a file with a driver, to read and to write unless it is told `isReadonly`. */
export type OpenFile<H extends Handle = Handle> = (file: string, isReadonly?: boolean) => H

/** A file in a folder of its own. */
export function temporaryFile (): { file: string, remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-if-match-'))
  return { file: join(folder, 'test.db'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A file that is removed at the end of the test. */
export function fileOf (t: { teardown: (end: () => void) => void }): string {
  const { file, remove } = temporaryFile()
  t.teardown(remove)
  return file
}

/** An error as better-sqlite3 throws it. */
export function sqliteError (code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code })
}

/** A handle that tells the test of each step, and fails if the test says so. */
export class FaultyHandle implements Handle {
  /** Whether each step fails, as if the disk were gone. */
  isCut = false
  /** Called ahead of every step with its SQL. If it throws, the step throws the same. */
  before: (sql: string) => void = () => {}
  /** Called after every step that succeeded. */
  after: (sql: string) => void = () => {}
  readonly #database: Handle
  #isClosed = false

  constructor (database: Handle) {
    this.#database = database
  }

  prepare (sql: string): SqliteStatement {
    const statement = this.#step(`prepare ${sql}`, () => this.#database.prepare(sql))
    return {
      get: (...values: SqliteValue[]) => this.#step(sql, () => statement.get(...values)),
      all: (...values: SqliteValue[]) => this.#step(sql, () => statement.all(...values)),
      run: (...values: SqliteValue[]) => this.#step(sql, () => statement.run(...values))
    }
  }

  exec (sql: string): void {
    this.#step(sql, () => this.#database.exec(sql))
  }

  // A test may have closed its handle already, and to close one twice is an error of node:sqlite.
  close (): void {
    if (!this.#isClosed) this.#database.close()
    this.#isClosed = true
  }

  #step<R> (sql: string, step: () => R): R {
    if (this.isCut) throw sqliteError('SQLITE_IOERR')
    this.before(sql)
    const result = step()
    this.after(sql)
    return result
  }
}

/** An open adapter on a file of its own, over a handle that fails if the test says so. */
export async function openedAdapter<H extends Handle> (
  t: Test,
  open: OpenFile<H>,
  options: Partial<SqliteAdapterOptions> = {}
) {
  const file = fileOf(t)
  const database = open(file)
  const handle = new FaultyHandle(database)
  const adapter = sqliteAdapter({ database: handle, ...options })
  await adapter.open!()
  t.teardown(() => handle.close())
  return { adapter, handle, database, file }
}

/**
 * Subjects of the conformance suite: adapters on one file, each with a handle of its own. All handles can be cut off.
 */
export function subjectsOn (open: OpenFile, adapterOf: (database: SqliteDatabase) => StorageAdapter): CreateAdapter {
  return async () => {
    const { file, remove } = temporaryFile()
    const handles: FaultyHandle[] = []
    const connect = () => {
      const handle = new FaultyHandle(open(file))
      handles.push(handle)
      return adapterOf(handle)
    }
    return {
      adapter: connect(),
      another: async () => connect(),
      async cut () {
        for (const handle of handles) handle.isCut = true
        return async () => { for (const handle of handles) handle.isCut = false }
      },
      async close () {
        for (const handle of handles) handle.close()
        remove()
      }
    }
  }
}
