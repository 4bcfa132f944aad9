import type { SqlValue } from './columns.js'
import type { TableFacts } from './facts.js'
import type { Kind } from './kind.js'

/** The names of the engines. `mysql` is MariaDB, too. */
export type Dialect = 'postgres' | 'sqlite' | 'mysql'

/** A statement with the values of its parameters. */
export interface Statement { text: string, values: SqlValue[] }

/** What an engine answers: the rows of a SELECT or of RETURNING, or how many rows were changed. */
export interface Answer {
  rows: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** Zero where the engine gives rows. */
  changed: number
}

/** A table by its name, and the schema that it is in, where one is named. */
export interface TableName { schema: string | undefined, name: string }

/** All that differs from one engine to another in the statements on a table. */
export interface Engine {
  dialect: Dialect
  /**
   * Whether INSERT, UPDATE and DELETE take RETURNING, and INSERT takes ON CONFLICT. Without RETURNING no statement
   * tells what a counter was moved to: what LAST_INSERT_ID(…) is given is not told of a table with triggers
   * (engine-facts#mariadb-last-insert-id-triggers).
   */
  returns: boolean
  /** A name as the engine takes it, whatever its characters. */
  quote (name: string): string
  /** The parameter with this number, from 1. */
  parameter (index: number): string
  /** The parameter that is compared with, or inserted into, a column of the id. */
  idParameter (index: number, type: Kind['type']): string
  /** A column as it is read, so that neither the engine nor the driver changes what it holds. */
  readable (column: string, type: Kind['type']): string
  /** The column of the version as it is compared with a text, byte by byte. */
  comparable (column: string): string
  /** A value of JavaScript as this engine's drivers bind it. */
  bound (value: SqlValue, type: Kind['type']): SqlValue
  /** What a SELECT ends with that must see what is committed, although its transaction has an older snapshot. */
  newest: string
  /** A random version, as SQL. */
  token: string
  run (client: unknown, statement: Statement): Promise<Answer>
  faultOf (error: unknown): Error | undefined
  /** What the engine knows about a table; undefined: there is none. */
  factsOf (client: unknown, table: TableName): Promise<TableFacts | undefined>
}

/** A table as its statements name it. */
export function quotedTable ({ quote }: Pick<Engine, 'quote'>, { schema, name }: TableName): string {
  return schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`
}
