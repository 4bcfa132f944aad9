import { createHash } from 'node:crypto'
import { quoteName } from '../kit/sql-name.js'

/** The columns of an entity. */
export const COLUMNS = ['key', 'version', 'replaced', 'digest', 'value'] as const

/** The name of each column. */
export type ColumnNames = Record<typeof COLUMNS[number], string>

/** The table of the entities. */
export interface PostgresTableOptions {
  /** The schema (default: the first one of the connection's `search_path` that has the table). */
  schema?: string | undefined
  /** The table (default `'entities'`). */
  table?: string | undefined
  /** Names of columns that are not called `key`, `version`, `replaced`, `digest` and `value`. */
  columns?: Partial<ColumnNames> | undefined
}

/** The table and its columns, quoted. */
export interface QuotedTable { name: string, columns: ColumnNames }

/** A statement, and the name under which it may be prepared. A statement that is sent once, at boot, has no name. */
export interface Statement { name?: string, text: string }

export type Statements = ReturnType<typeof statementsOn>

/**
 * How long a batch waits for a locked row, and holds up the next batch, in milliseconds. After that each of its writes
 * goes alone (engine-facts#postgres-batch-waits-for-locked-row).
 */
export const MAX_BATCH_WAIT = 100

export function quotedTable ({ schema, table = 'entities', columns }: PostgresTableOptions): QuotedTable {
  const quoted = COLUMNS.map((column) => [column, quoteName(columns?.[column] ?? column)])
  return {
    name: schema === undefined ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`,
    columns: Object.fromEntries(quoted) as ColumnNames
  }
}

/**
 * The SQL that creates the table, for a migration of your own.
 *
 * @example
 * console.log(createTableSql({ schema: 'shop', table: 'offers' }))
 */
export function createTableSql (options: PostgresTableOptions = {}): string {
  const { name, columns: { key, version, replaced, digest, value } } = quotedTable(options)
  // json gives each text back unchanged, and jsonb refuses some (engine-facts#postgres-jsonb-unicode). The fillfactor
  // leaves room for updates in the same page (engine-facts#postgres-fillfactor).
  return `CREATE TABLE IF NOT EXISTS ${name} (${key} text COLLATE "C" PRIMARY KEY, ${version} text NOT NULL, ` +
    `${replaced} text, ${digest} text, ${value} json NOT NULL) WITH (fillfactor = 70)`
}

/**
 * The statements on a table. Each parameter is a text, which every driver sends in the same way.
 *
 * @param lockTimeout how long a statement waits for a row, in milliseconds. The server keeps the bound, because a
 *   statement goes on there when its client has stopped waiting (engine-facts#postgres-lock-timeout-in-statement). 0:
 *   no bound, for a transaction of the app, where the setting would outlive the statement
 */
export function statementsOn (
  { name: table, columns: { key, version, replaced, digest, value } }: QuotedTable,
  lockTimeout: number
) {
  // `bound` sets the timeout for the transaction of this statement. The statement needs its row to find the entity, so
  // the timeout is set before the wait begins.
  const isBounded = lockTimeout > 0
  const bound = isBounded ? `WITH ${boundOf(lockTimeout)} ` : ''
  const from = isBounded ? ' FROM bound' : ''
  const using = isBounded ? ' USING bound' : ''
  const and = isBounded ? ' AND bound.is_set IS NOT NULL' : ''
  const facts = `e.${version} AS version, e.${replaced} AS replaced, e.${digest} AS digest`
  const columns = `e.${value}::text AS value, ${facts}`
  const columnsUnless = (isSpared: string): string =>
    `CASE WHEN ${isSpared} THEN NULL ELSE e.${value}::text END AS value, ${facts}`
  const update = `${bound}UPDATE ${table} AS e SET ${replaced} = e.${version}, ${version} = $2::text, ` +
    `${value} = $3::text::json, ${digest} = $4::text${from} WHERE e.${key} = $1::text`
  const insert = `${bound}INSERT INTO ${table} AS e (${key}, ${version}, ${value}, ${digest}) ` +
    `SELECT $1::text, $2::text, $3::text::json, $4::text${from} WHERE true${and} ON CONFLICT (${key}) DO`
  const remove = `${bound}DELETE FROM ${table} AS e${using} WHERE e.${key} = $1::text`
  const applied = `RETURNING e.${replaced} AS replaced`
  const list = `SELECT e.${key} AS key, ${columns} FROM ${table} AS e ` +
    `WHERE e.${key} COLLATE "C" >= $1::text AND e.${key} COLLATE "C" > $2::text`
  const inOrder = `ORDER BY e.${key} COLLATE "C" LIMIT`

  return {
    /** $1 the key. */
    read: statement(`SELECT ${columns} FROM ${table} AS e WHERE e.${key} = $1::text`),
    /** $1 the key: all but the value. */
    readFacts: statement(`SELECT ${facts} FROM ${table} AS e WHERE e.${key} = $1::text`),
    /** $1 the key, $2 the versions whose value is left out. A value that is left out is not fetched from the disk. */
    readUnless: statement(
      `SELECT ${columnsUnless(`e.${version} = ANY ($2::text[])`)} FROM ${table} AS e WHERE e.${key} = $1::text`
    ),
    /** $1 the keys. */
    readMany: statement(`SELECT e.${key} AS key, ${columns} FROM ${table} AS e WHERE e.${key} = ANY ($1::text[])`),
    /**
     * $1 the keys, $2 those whose value is left out, $3 the versions whose value is left out, each with a space and its
     * key behind it. A version has no space.
     */
    readManyUnless: statement(
      `SELECT e.${key} AS key, ` +
        columnsUnless(`e.${key} = ANY ($2::text[]) OR e.${version} || ' ' || e.${key} = ANY ($3::text[])`) +
        ` FROM ${table} AS e WHERE e.${key} = ANY ($1::text[])`
    ),
    /** $1 the key, $2 the new version, $3 the value, $4 the digest, $5 the versions that may be replaced. */
    write: {
      version: statement(`${update} AND e.${version} = ANY ($5::text[])${and} ${applied}`),
      exists: statement(`${update}${and} ${applied}`),
      absent: statement(`${insert} NOTHING ${applied}`),
      any: statement(
        `${insert} UPDATE SET ${replaced} = e.${version}, ${version} = excluded.${version}, ` +
          `${value} = excluded.${value}, ${digest} = excluded.${digest} ${applied}`
      )
    },
    /** $1 the key, $2 the versions that may be removed. */
    remove: {
      version: statement(`${remove} AND e.${version} = ANY ($2::text[])${and} RETURNING e.${version} AS version`),
      exists: statement(`${remove}${and} RETURNING e.${version} AS version`)
    },
    /** $1 the first key, $2 the key after which the page begins, $3 how many. */
    listToEnd: statement(`${list} ${inOrder} $3::int`),
    /** The same, and $4 the key before which the listing ends. */
    list: statement(`${list} AND e.${key} COLLATE "C" < $4::text ${inOrder} $3::int`)
  }
}

/**
 * The statement that carries out up to `size` writes of different keys, and returns those that applied
 * (engine-facts#postgres-batch-statement). The others were refused, or lost to a writer that a batch cannot see: a read
 * tells which. $1 the writes as JSON, without their values; $2 and so on the value of each, null where there are fewer.
 *
 * It locks existing rows, and then inserts new ones, in the order of their keys, so that two batches never wait for one
 * another (engine-facts#postgres-batch-lock-order).
 */
export function batchStatement (
  { name: table, columns: { key, version, replaced, digest, value } }: QuotedTable,
  lockTimeout: number,
  size: number
): Statement {
  const isBounded = lockTimeout > 0
  const bound = isBounded ? `${boundOf(Math.min(lockTimeout, MAX_BATCH_WAIT))}, ` : ''
  const whenBounded = isBounded ? ' AND (SELECT is_set FROM bound) IS NOT NULL' : ''
  const values = Array.from({ length: size }, (_, index) => `$${index + 2}::text`).join(', ')
  return statement(
    `WITH ${bound}` +
      // Each value is a parameter: in the JSON its quotes would be escaped here, and unescaped by the server.
      'item AS MATERIALIZED (SELECT i.* FROM ROWS FROM (json_to_recordset($1::text::json) ' +
      `AS (key text, version text, digest text, kind text, versions text[]), unnest(ARRAY[${values}])) ` +
      `AS i (key, version, digest, kind, versions, value) WHERE i.key IS NOT NULL${whenBounded}), ` +
      `locked AS MATERIALIZED (SELECT e.${key} AS key, e.${version} AS version FROM ${table} AS e ` +
      // No stronger lock than that of a change (engine-facts#postgres-no-key-update).
      `WHERE e.${key} IN (SELECT item.key FROM item) ORDER BY e.${key} FOR NO KEY UPDATE), ` +
      `updated AS (UPDATE ${table} AS e SET ${replaced} = e.${version}, ${version} = i.version, ` +
      `${value} = i.value::json, ${digest} = i.digest FROM item AS i JOIN locked AS l ON l.key = i.key ` +
      `WHERE e.${key} = i.key AND (i.kind IN ('exists', 'any') ` +
      "OR i.kind = 'version' AND l.version = ANY (i.versions)) " +
      `RETURNING e.${key} AS key, false AS created), ` +
      `inserted AS (INSERT INTO ${table} AS e (${key}, ${version}, ${value}, ${digest}) ` +
      'SELECT i.key, i.version, i.value::json, i.digest FROM item AS i ' +
      "WHERE i.kind IN ('absent', 'any') AND NOT EXISTS (SELECT 1 FROM locked AS l WHERE l.key = i.key) " +
      `ORDER BY i.key COLLATE "C" ON CONFLICT (${key}) DO NOTHING RETURNING e.${key} AS key, true AS created) ` +
      'SELECT key, created FROM updated UNION ALL SELECT key, created FROM inserted'
  )
}

function boundOf (lockTimeout: number): string {
  return `bound AS MATERIALIZED (SELECT set_config('lock_timeout', '${lockTimeout}', true) AS is_set)`
}

// The name is a hash of the text. On a connection that two adapters share, one name for two texts would be an error.
function statement (text: string): Statement {
  return { name: `if_match_${createHash('sha256').update(text).digest('base64url').slice(0, 32)}`, text }
}
