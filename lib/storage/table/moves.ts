import { createHash } from 'node:crypto'
import type { TableShape } from './description.js'
import { quotedTable, type TableName } from './engine.js'

/** A child table, and the columns that refer to the parent's id. */
export interface Child { table: TableName, columns: readonly string[], name: string }

/** What the triggers of a table do, in the words of all engines. Names are quoted. */
export interface Moves {
  shape: TableShape
  table: string
  /** The name of the table without its schema. */
  bareTable: string
  version: string
  /**
   * Whether an UPDATE left the version as it was, of which a trigger makes a new one. A smaller counter was read before
   * others wrote: it would come back.
   */
  isOld: string
  /** What moves the version of the row that a statement is about. */
  set: string
  /** The next version of the row that has the version `old`. */
  nextOf: (old: string) => string
  /** What the other columns get beside the new version; the second is the value. */
  others: ReadonlyArray<readonly [column: string, value: (old: string) => string]>
  children: readonly Child[]
  /** Whether a row of the parent is the one that the child `row`, OLD or NEW, refers to. */
  isParent: (child: Child, row: 'OLD' | 'NEW') => string
  quote: (name: string) => string
}

export function movesOf (shape: TableShape, children: readonly Child[]): Moves {
  const { engine, ids, replaced, digest } = shape
  const { quote } = engine
  const version = quote(shape.version.column)
  const nextOf = (old: string): string => shape.version.kind === 'counter' ? `${old} + 1` : engine.token
  const others: Moves['others'] = [
    ...replaced === undefined ? [] : [[quote(replaced), (old: string) => old] as const],
    ...digest === undefined ? [] : [[quote(digest), () => 'NULL'] as const]
  ]
  return {
    shape,
    table: quotedTable(engine, shape.table),
    bareTable: quote(shape.table.name),
    version,
    isOld: `NEW.${version} ${shape.version.kind === 'counter' ? '<=' : '='} OLD.${version}`,
    // The version that is replaced comes first: in MySQL a later assignment sees an earlier one.
    set: [
      ...others.map(([column, valueOf]) => `${column} = ${valueOf(version)}`),
      `${version} = ${nextOf(version)}`
    ].join(', '),
    nextOf,
    others,
    children,
    isParent: ({ columns }, row) =>
      columns.map((column, index) => `${quote(ids[index]!.column)} = ${row}.${quote(column)}`).join(' AND '),
    quote
  }
}

/** The statements that add the columns of the version. */
export function columnsToAdd ({ shape, table, version, quote }: Moves): string[] {
  const { engine: { dialect, token }, replaced, digest } = shape
  const isCounter = shape.version.kind === 'counter'
  const text = dialect === 'mysql' ? 'varchar(64) CHARACTER SET ascii COLLATE ascii_bin' : 'text'
  const add = (column: string): string => `ALTER TABLE ${table} ADD COLUMN ${column}`
  const more = [replaced, digest].filter((name) => name !== undefined).map((name) =>
    add(`${quote(name)} ${name === digest && dialect === 'mysql' ? 'varchar(255)' : text} NULL`))
  if (isCounter) return [add(`${version} ${dialect === 'sqlite' ? 'integer' : 'bigint'} NOT NULL DEFAULT 1`), ...more]
  if (dialect === 'postgres') return [add(`${version} text NOT NULL DEFAULT ${token}`), ...more]
  // The default of a new column must be a constant there. The triggers make a version of it.
  return [add(`${version} ${text} NOT NULL DEFAULT ''`), ...more]
}

/** Gives each row a version that got none with the column. The triggers are there: none comes in without one later. */
export function rowsToFill ({ shape, table, version }: Moves): string[] {
  const { engine: { dialect, token }, version: { kind } } = shape
  const isFilled = kind === 'counter' || dialect === 'postgres'
  return isFilled ? [] : [`UPDATE ${table} SET ${version} = ${token} WHERE ${version} = ''`]
}

// The end of the name of a trigger is `_insert`, `_update` or `_delete`, and PostgreSQL takes 63 bytes.
const LONGEST = 56

/** The name of what moves a version. One that is too long is cut, and ends in a hash of the whole. */
export function nameOf (...parts: readonly string[]): string {
  const name = [...parts, 'version'].join('_')
  if (Buffer.byteLength(name) <= LONGEST) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.replaceAll(/[^\w]/g, '_').slice(0, LONGEST - 9)}_${hash}`
}
