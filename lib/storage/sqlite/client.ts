/** A value that the adapter binds to a statement, or reads from a row. */
export type SqliteValue = string | number | null | Uint8Array

/** The result of a statement that changes rows. */
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
