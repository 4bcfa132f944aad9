import { createHash } from 'node:crypto'

/** The columns that an entity needs. */
export const COLUMNS = ['key', 'version', 'replaced', 'digest', 'value'] as const

/** The name of each column. */
export type ColumnNames = Record<typeof COLUMNS[number], string>

/** Where the entities are. */
export interface PostgresTableOptions {
  /** The schema (default: the first of the connection's `search_path` that has the table). */
  schema?: string | undefined
  /** The table (default `'entities'`). */
  table?: string | undefined
  /** The columns that are not called `key`, `version`, `replaced`, `digest` and `value`. */
  columns?: Partial<ColumnNames> | undefined
}

/** The table and its columns, quoted. */
export interface QuotedTable { name: string, columns: ColumnNames }

/** A statement, and the name under which it may be prepared; what is sent once at boot has none. */
export interface Statement { name?: string, text: string }

export type Statements = ReturnType<typeof statementsOn>

/** A name as SQL has it. */
export function quoteName (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quotedTable ({ schema, table = 'entities', columns }: PostgresTableOptions): QuotedTable {
  const quoted = COLUMNS.map((column) => [column, quoteName(columns?.[column] ?? column)])
  return {
    name: schema === undefined ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`,
    columns: Object.fromEntries(quoted) as ColumnNames
  }
}

/**
 * The SQL that makes the table, for a migration of your own.
 *
 * @example
 * console.log(createTableSql({ schema: 'shop', table: 'offers' }))
 */
export function createTableSql (options: PostgresTableOptions = {}): string {
  const { name, columns: { key, version, replaced, digest, value } } = quotedTable(options)
  // json gives a text back as it was, and takes \u0000 and lone surrogates, which jsonb refuses (E28). With room left in
  // its pages an update stays in the page.
  return `CREATE TABLE IF NOT EXISTS ${name} (${key} text COLLATE "C" PRIMARY KEY, ${version} text NOT NULL, ${replaced} text, ${digest} text, ${value} json NOT NULL) WITH (fillfactor = 70)`
}

/**
 * The statements on a table. Parameters are text, and so read the same by every driver.
 *
 * @param lockTimeout bounds how long a statement waits for a row, in milliseconds, on the server: what a client does not
 * wait for any more goes on there (E31). 0: no bound, for a transaction of the app, where it would outlive the statement.
 */
export function statementsOn (
  { name: table, columns: { key, version, replaced, digest, value } }: QuotedTable,
  lockTimeout: number
) {
  // Set for the transaction of this statement alone, before the row is looked for, since its row is needed for that.
  const [bound, from, using, and] =
    lockTimeout === 0
      ? ['', '', '', '']
      : [
          `WITH bound AS MATERIALIZED (SELECT set_config('lock_timeout', '${lockTimeout}', true) AS is_set) `,
          ' FROM bound',
          ' USING bound',
          ' AND bound.is_set IS NOT NULL'
        ]
  const columns = `e.${value}::text AS value, e.${version} AS version, e.${replaced} AS replaced, e.${digest} AS digest`
  const update = `${bound}UPDATE ${table} AS e SET ${replaced} = e.${version}, ${version} = $2::text, ${value} = $3::text::json, ${digest} = $4::text${from} WHERE e.${key} = $1::text`
  const insert = `${bound}INSERT INTO ${table} AS e (${key}, ${version}, ${value}, ${digest}) SELECT $1::text, $2::text, $3::text::json, $4::text${from} WHERE true${and} ON CONFLICT (${key}) DO`
  const remove = `${bound}DELETE FROM ${table} AS e${using} WHERE e.${key} = $1::text`
  const applied = `RETURNING e.${replaced} AS replaced`
  const list = `SELECT e.${key} AS key, ${columns} FROM ${table} AS e WHERE e.${key} COLLATE "C" >= $1::text AND e.${key} COLLATE "C" > $2::text`
  const inOrder = `ORDER BY e.${key} COLLATE "C" LIMIT`

  return {
    read: statement(`SELECT ${columns} FROM ${table} AS e WHERE e.${key} = $1::text`),
    /** $1 the keys. */
    readMany: statement(`SELECT e.${key} AS key, ${columns} FROM ${table} AS e WHERE e.${key} = ANY ($1::text[])`),
    /** $1 the key, $2 the version that the write brings, $3 the value, $4 the digest, $5 the versions that it may replace. */
    write: {
      version: statement(`${update} AND e.${version} = ANY ($5::text[])${and} ${applied}`),
      exists: statement(`${update}${and} ${applied}`),
      absent: statement(`${insert} NOTHING ${applied}`),
      any: statement(
        `${insert} UPDATE SET ${replaced} = e.${version}, ${version} = excluded.${version}, ${value} = excluded.${value}, ${digest} = excluded.${digest} ${applied}`
      )
    },
    /** $1 the key, $2 the versions that may be removed. */
    remove: {
      version: statement(`${remove} AND e.${version} = ANY ($2::text[])${and} RETURNING e.${version} AS version`),
      exists: statement(`${remove}${and} RETURNING e.${version} AS version`)
    },
    /** $1 the first key, $2 the key behind which it goes on, $3 how many. */
    listToEnd: statement(`${list} ${inOrder} $3::int`),
    /** $4 the key before which it ends. */
    list: statement(`${list} AND e.${key} COLLATE "C" < $4::text ${inOrder} $3::int`)
  }
}

// Named by its text: the same name for another text is an error on a connection that two adapters share.
export function statement (text: string): Statement {
  return { name: `if_match_${createHash('sha256').update(text).digest('base64url').slice(0, 32)}`, text }
}
