import { InvalidAdapterError } from '../../errors.js'
import type { PostgresSession } from './session.js'
import { createTableSql, quotedTable, COLUMNS, type PostgresTableOptions, type Statement } from './sql.js'
import { warn } from '../kit/warn.js'
import { newVersion } from '../kit/version.js'

interface Server {
  encoding: string
  is_read_only: string
  synchronous_commit: string
  fsync: string
  full_page_writes: string
  persistence: string | null
  hides_rows: boolean | null
  may_select: boolean | null
  may_insert: boolean | null
  may_update: boolean | null
  may_delete: boolean | null
  key_is_unique: boolean
}

interface Column {
  name: string
  type: string
  longest: number | null
  collation: string | null
  not_null: boolean
  has_default: boolean
  is_generated: boolean
}

// The table by its quoted name, as the statements find it.
const TABLE = 'to_regclass($1::text)'

const SERVER: Statement = {
  text:
    "SELECT current_setting('server_encoding') AS encoding, current_setting('transaction_read_only') AS is_read_only, " +
    "current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes, " +
    `(SELECT c.relpersistence::text FROM pg_catalog.pg_class AS c WHERE c.oid = ${TABLE}) AS persistence, ` +
    // Policies are for those who do not own the table, unless it says otherwise.
    `(SELECT c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE')) FROM pg_catalog.pg_class AS c WHERE c.oid = ${TABLE}) AS hides_rows, ` +
    ['select', 'insert', 'update', 'delete']
      .map((right) => `has_table_privilege(${TABLE}, '${right}') AS may_${right}, `)
      .join('') +
    // What ON CONFLICT can go by: each key is there once, as its bytes are.
    'EXISTS (SELECT 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] ' +
    `WHERE i.indrelid = ${TABLE} AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts = 1 AND a.attname = $2::text) AS key_is_unique`
}

const COLUMNS_OF: Statement = {
  text:
    'SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type, CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END AS longest, c.collname::text AS collation, a.attnotnull AS not_null, ' +
    "(a.atthasdef OR a.attidentity <> '') AS has_default, a.attgenerated <> '' AS is_generated FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = a.attcollation " +
    `WHERE a.attrelid = ${TABLE} AND a.attnum > 0 AND NOT a.attisdropped`
}

const TEXT = ['text', 'character varying']
const VERSION_LENGTH = newVersion().length
const JSON_TEXT = ['json', 'jsonb', 'text']

/**
 * Refuses a table that cannot keep what the contract asks, and a server that cannot be written to. What may lose
 * acknowledged writes in a crash (E34), or hide them, is a warning.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, or what the driver rejects with
 */
export async function checkTable (session: PostgresSession, table: PostgresTableOptions): Promise<void> {
  const { name } = quotedTable(table)
  const sql = `It is made with: ${createTableSql(table)}`
  const [server] = await session.query<Server>(SERVER, [name, nameOf(table, 'key')]) as [Server]
  if (server.is_read_only === 'on') refuse('the server is read only, as a standby is. Connect to the primary.')
  if (server.encoding !== 'UTF8') { refuse(`the database has the encoding ${server.encoding}, which cannot hold every key. Use one with UTF8.`) }
  if (server.persistence === null) refuse(`there is no table ${name}. ${sql}`)
  const columns = await session.query<Column>(COLUMNS_OF, [name])
  const flaw =
    flawOf(columns, table) ??
    (server.key_is_unique
      ? undefined
      : 'its key has no primary key or unique index of its own, or one that is deferrable')
  if (flaw !== undefined) refuse(`the table ${name} has another shape: ${flaw}. ${sql}`)
  const missing = (['select', 'insert', 'update', 'delete'] as const).filter((right) => server[`may_${right}`] !== true)
  if (missing.length > 0) { refuse(`the user may not ${missing.join(', ')} in ${name}. GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} to it.`) }
  for (const setting of ['synchronous_commit', 'fsync', 'full_page_writes'] as const) {
    if (server[setting] === 'off') {
      warn(
        'FST_IF_MATCH_POSTGRES_NOT_DURABLE',
        `PostgreSQL runs with ${setting} = off: a crash of the server can lose writes that were acknowledged.`
      )
    }
  }
  if (server.hides_rows === true) {
    warn(
      'FST_IF_MATCH_POSTGRES_ROW_SECURITY',
      `Row level security is on for ${name}: an entity that a policy hides from this user reads as absent.`
    )
  }
  if (server.persistence !== 'p') {
    warn(
      'FST_IF_MATCH_POSTGRES_UNLOGGED',
      `The table ${name} is unlogged or temporary: a crash of the server empties it.`
    )
  }
}

function nameOf ({ columns }: PostgresTableOptions, column: typeof COLUMNS[number]): string {
  return columns?.[column] ?? column
}

function flawOf (columns: readonly Column[], table: PostgresTableOptions): string | undefined {
  const names: readonly string[] = COLUMNS.map((column) => nameOf(table, column))
  for (const [at, name] of names.entries()) {
    const found = columns.find((column) => column.name === name)
    if (found === undefined) return `it has no column ${name}`
    const types = COLUMNS[at] === 'value' ? JSON_TEXT : TEXT
    if (!types.includes(found.type)) return `its column ${name} is ${found.type}, and not ${types.join(' or ')}`
    if (found.is_generated) return `its column ${name} is generated`
    if (
      (COLUMNS[at] === 'version' || COLUMNS[at] === 'replaced') &&
      found.longest !== null &&
      found.longest < VERSION_LENGTH
    ) { return `its column ${name} takes ${found.longest} characters, and a version has ${VERSION_LENGTH}` }
    if (COLUMNS[at] === 'key' && found.collation !== 'C' && found.collation !== 'POSIX') { return `its column ${name} is not COLLATE "C", so keys are not ordered by their bytes` }
    if ((COLUMNS[at] === 'replaced' || COLUMNS[at] === 'digest') && found.not_null) { return `its column ${name} takes no NULL` }
  }
  const other = columns.find((column) => !names.includes(column.name) && column.not_null && !column.has_default)
  return other && `its column ${other.name} takes no NULL and has no default, and nobody fills it`
}

function refuse (why: string): never {
  throw new InvalidAdapterError(`cannot use this PostgreSQL database: ${why}`)
}
