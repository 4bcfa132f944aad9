import type { TObject } from '@sinclair/typebox'
import type { Dialect } from './engine.js'

/** The columns of the id: one, several, or a schema of the parameters of the key. */
export type IdOption = string | readonly string[] | TObject

/** The column of the version. */
export interface VersionOption {
  column: string
  /**
   * - `'token'` (the default): the adapter writes a random text. It never comes back
   * - `'counter'`: the adapter adds one. Only where no id is used again: a row that is deleted and made again begins at
   *   1, and an old tag fits it. With `deleted` rows stay, and so do their counters. Not on MySQL and MariaDB, whose
   *   UPDATE does not tell what it made
   * - `'trigger'`: a trigger writes it, whatever it is, with each INSERT and UPDATE. PostgreSQL alone tells the
   *   statement what its triggers made
   */
  kind?: 'token' | 'counter' | 'trigger' | undefined
}

/** The column of the mark of deletion. */
export interface DeletedOption {
  column: string
  /** `'time'` (the default): NULL, or the time of the deletion. `'flag'`: a boolean column. */
  kind?: 'time' | 'flag' | undefined
}

/** A table without its columns and its client: what a migration needs. */
export interface TableOptions {
  /** `'mysql'` is MariaDB, too. */
  dialect: Dialect
  /** `'offers'`, or `'shop.offers'` with the schema. A name that has a dot itself stands in an array, `['a.b']`. */
  table: string | readonly string[]
  /**
   * The columns that tell a row, which have a primary key or a unique index of their own. A schema, such as
   * `Type.Object({ order: Type.Integer(), line: Type.Integer() })`, says which of them are whole numbers, or UUIDs
   * (`Type.String({ format: 'uuid' })`); without one they are texts, or what `columns` says of them.
   */
  id: IdOption
  /** The column of the version, or more about it. */
  version: string | VersionOption
  /** Columns that are not called like their property or parameter: `{ title: 'offer_title' }`. */
  names?: Readonly<Record<string, string>> | undefined
  /** A column for the version that the last write replaced (`Stored.replaced`). */
  replaced?: string | undefined
  /** A column for the digest that is passed with a write (`Stored.digest`). */
  digest?: string | undefined
}

/** Options of `tableAdapter`. */
export interface TableAdapterOptions<S extends TObject> extends Omit<TableOptions, 'dialect'> {
  /**
   * PostgreSQL: a Pool or Client of pg, a PGlite. SQLite: a handle of better-sqlite3 or node:sqlite. MySQL and MariaDB:
   * a pool or connection of mysql2 or mariadb. The adapter never closes it. A handler may bring another one, which is
   * inside a transaction: `request.entity(key, { client })`.
   */
  client: object
  /** Default: by the client. */
  dialect?: Dialect | undefined
  /**
   * A schema of the value, an object. Texts, numbers and booleans are columns of their type; null, and an optional
   * property that is not there, are NULL; objects, arrays and anything else are JSON texts. A property with
   * `readOnly: true`, or whose column is one of the id, is read and never written.
   */
  columns: S
  /**
   * How keys become ids: a pattern whose parameters are called like the columns of the id, or a function that gives the
   * value of each by its name. Two keys must never have the same id. Default: the name of the table and the id,
   * `'/offers/:id'`.
   */
  key?: string | ((key: string) => Readonly<Record<string, string | number>>) | undefined
  /** The column that marks a row as deleted: such a row is no entity, and a creation takes the mark off. */
  deleted?: string | DeletedOption | undefined
  /** `false`: a write creates nothing, for a table whose ids the database makes (default `true`). */
  insert?: boolean | undefined
}
