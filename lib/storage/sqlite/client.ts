/** What SQLite stores and is asked with here. */
export type SqliteValue = string | number | null | Uint8Array

/** What a statement did. */
export interface SqliteChanges {
  changes: number | bigint
}

/** A prepared statement: of better-sqlite3, of `node:sqlite`, of libsql. */
export interface SqliteStatement {
  get (...values: SqliteValue[]): unknown
  all (...values: SqliteValue[]): unknown[]
  run (...values: SqliteValue[]): SqliteChanges
}

/** A database handle: a `Database` of better-sqlite3 or libsql, or a `DatabaseSync` of `node:sqlite`. */
export interface SqliteDatabase {
  prepare (sql: string): SqliteStatement
  exec (sql: string): unknown
}

/** A name as SQL has it. */
export function quoteName (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
