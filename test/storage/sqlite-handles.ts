import type Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqliteDatabase, SqliteStatement, SqliteValue } from '../../lib/storage/sqlite.js'

/** A file in a folder of its own. */
export function temporaryFile (): { file: string, remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-if-match-'))
  return { file: join(folder, 'test.db'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A file that goes with the test. */
export function fileOf (t: { teardown: (end: () => void) => void }): string {
  const { file, remove } = temporaryFile()
  t.teardown(remove)
  return file
}

/** An error as better-sqlite3 throws it. */
export function sqliteError (code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code })
}

/** A handle that notes what is executed, and fails where the test says so. */
export class FaultyHandle implements SqliteDatabase {
  /** The disk is gone: everything fails. */
  isCut = false
  /** Called ahead of every step with its SQL; what it throws is what the step throws. */
  before: (sql: string) => void = () => {}
  /** Called behind every step that succeeded. */
  after: (sql: string) => void = () => {}
  readonly #database: Database.Database

  constructor (database: Database.Database) {
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

  close (): void {
    this.#database.close()
  }

  #step<R> (sql: string, step: () => R): R {
    if (this.isCut) throw sqliteError('SQLITE_IOERR')
    this.before(sql)
    const result = step()
    this.after(sql)
    return result
  }
}
