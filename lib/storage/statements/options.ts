import type { RowCount, RowsOrCount, RowVersion } from './answer.js'

/**
 * How keys and values become rows. What a function of it throws goes out as it is, such as an error of your own with a
 * `statusCode` of 422: nothing was sent yet. A bug, such as a TypeError, is FST_IF_MATCH_STORAGE_FAULT (500).
 */
export interface Mapping<T, Columns extends object, Id = string> {
  /**
   * The id of the row of a key. Two keys must never have the same row.
   * @throws FST_IF_MATCH_INVALID_KEY for a key that this table cannot have
   */
  toId (key: string): Id
  /**
   * The columns of a value, which is a copy, and JSON: a Date, say, was refused with FST_IF_MATCH_NOT_JSON.
   * @throws FST_IF_MATCH_INVALID_VALUE for a value that the columns would change, drop or refuse
   */
  toColumns (value: T): Columns
  /** The value of the columns. It must be JSON, or the read fails: FST_IF_MATCH_NOT_JSON. */
  toValue (columns: Columns): T
}

/**
 * What the adapter gives to every write, beside the columns of the value. A table whose database makes the versions, or
 * that has no `digest`, leaves it out of its statements.
 */
export interface Provenance { version: string, digest: string | null }

/**
 * A row as `read` finds it. Without `replaced`, a write whose answer was lost is not proven once somebody else wrote.
 * Without either of the last two, a request that a client sends again after that is refused.
 */
export type Row<Columns extends object, Version extends RowVersion = string> = Columns & {
  /** Becomes the `ETag`. A number or bigint becomes its digits, and the space of a timestamp in a text `T`. */
  version: Version
  /** The version that the last write replaced; null if that created the row. */
  replaced?: Version | null | undefined
  /** The `digest` of the last write. */
  digest?: string | null | undefined
}

/**
 * Four statements and a mapping: all that differs from one table or client to another.
 *
 * A statement function may throw an error of the app with a `statusCode` or `status` of 400 to 499, which says that
 * nothing was changed, and goes out as it is. A bug, such as a TypeError or a forgotten count, is
 * FST_IF_MATCH_STORAGE_FAULT (500).
 */
export interface StatementsAdapterOptions<T, Columns extends object, Client, Id = string>
  extends Mapping<T, Columns, Id> {
  /**
   * The client that the statements run on. A handler may bring another one, which is inside a transaction:
   * `request.entity(key, { client })`.
   */
  client: Client
  /**
   * Reads the current row, in one statement; null or undefined if there is none.
   *
   * @param how `newest` is true inside a transaction of the app, behind a write that matched nothing. On MySQL and
   *   MariaDB, read with a lock then (`LOCK IN SHARE MODE`). At REPEATABLE READ, their default, a read without one is
   *   of the moment of the first read of the transaction (engine-facts#mariadb-lock-is-newer-than-snapshot). It
   *   could not tell what stood in the way. Other engines need nothing
   */
  read(client: Client, id: Id, how: { newest: boolean }): FoundRow<Columns> | Promise<FoundRow<Columns>>
  /**
   * Changes the row if its version is one of `versions`, and sets `replaced` to the version that it had. `versions`
   * undefined: whatever its version is. `versions` are texts as clients sent them, so compare the text of the column:
   * a column of numbers takes `007` for 7, or is an error for `abc`.
   *
   * It gives the count of rows; or the rows of RETURNING, whose version is that of the entity from then on.
   */
  update(client: Client, id: Id, row: Columns & Provenance, versions: readonly string[] | undefined): RowsOrCount
  /**
   * Inserts the row, with `replaced` null. If the id has a row already, it does nothing, without an error. It gives
   * what `update` gives.
   *
   * Without it the adapter creates nothing: a write that would is FST_IF_MATCH_INVALID_OPTIONS. Let no route create.
   */
  insert?(client: Client, id: Id, row: Columns & Provenance): RowsOrCount
  /** Deletes the row if its version is one of `versions`. `versions` undefined: whatever its version is. */
  remove(client: Client, id: Id, versions: readonly string[] | undefined): RowCount
  /**
   * The error to answer with for an error of the driver that says that nothing was changed, when a statement failed
   * that changes rows: `sqlStateFault` for PostgreSQL, `sqliteFault` for SQLite, `mysqlFault` for MySQL and MariaDB, or
   * your own, such as a 409 for a constraint. It goes out as it is, but for FST_IF_MATCH_CONTENTION outside a
   * transaction: then the statement is sent again, 16 times at most. If it gives undefined, or is not there, the answer
   * may be lost, unless the error tells of a mistake or of a constraint of one of these engines: that is
   * FST_IF_MATCH_OUTCOME_UNKNOWN, or the row proves that the write was applied.
   */
  faultOf?(error: unknown): Error | undefined
}

/** A row, if there is one. */
export type FoundRow<Columns extends object> = Row<Columns, RowVersion> | null | undefined
