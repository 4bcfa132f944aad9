import { setTimeout as delay } from 'node:timers/promises'
import { InvalidAdapterError } from '../../errors.js'
import { MAX_DIGEST_LENGTH, VERSION_LENGTH } from '../kit/version.js'
import { warn } from '../kit/warn.js'
import type { PostgresSession } from './session.js'
import { COLUMNS, createTableSql, quotedTable, type PostgresTableOptions, type Statement } from './sql.js'

// If several processes create a table at once, PostgreSQL fails for some, in spite of IF NOT EXISTS
// (engine-facts#postgres-create-table-race).
const CREATE_ATTEMPTS = 5
const CREATED_BY_ANOTHER = ['23505', '42710', '42P07', 'XX000']

const FORBIDDEN = '42501'

// The table by its quoted name, as the statements find it.
const TABLE = 'to_regclass($1::text)'

const EXISTS: Statement = { text: `SELECT ${TABLE} IS NOT NULL AS is_there` }

/**
 * Creates the table if it is missing.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER if the user may not create it; any error of the driver
 */
export async function makeTable (session: PostgresSession, table: PostgresTableOptions, attempt = 1): Promise<void> {
  try {
    await session.query({ text: createTableSql(table) }, [])
    return
  } catch (error) {
    const { code } = error as { code: string }
    // PostgreSQL says so of a table that is there, too (engine-facts#postgres-create-table-privilege).
    if (code === FORBIDDEN) return await assertExists(session, table)
    if (attempt === CREATE_ATTEMPTS || !CREATED_BY_ANOTHER.includes(code)) throw error
  }
  await delay(Math.random() * 20 * attempt)
  await makeTable(session, table, attempt + 1)
}

async function assertExists (session: PostgresSession, table: PostgresTableOptions): Promise<void> {
  const { name } = quotedTable(table)
  const [found] = await session.query<{ is_there: boolean }>(EXISTS, [name]) as [{ is_there: boolean }]
  if (found.is_there) return
  refuse(
    `the user may not make the table. Let somebody who may run: ${createTableSql(table)}; ` +
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} to the user.`
  )
}

const RIGHTS = ['select', 'insert', 'update', 'delete'] as const
const DURABILITY = ['synchronous_commit', 'fsync', 'full_page_writes'] as const

interface Server extends
  Record<typeof DURABILITY[number], string>, Record<`may_${typeof RIGHTS[number]}`, boolean | null> {
  encoding: string
  is_read_only: string
  persistence: string | null
  hides_rows: boolean | null
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

const SERVER: Statement = {
  text:
    "SELECT current_setting('server_encoding') AS encoding, " +
    "current_setting('transaction_read_only') AS is_read_only, " +
    DURABILITY.map((setting) => `current_setting('${setting}') AS ${setting}, `).join('') +
    RIGHTS.map((right) => `has_table_privilege(${TABLE}, '${right}') AS may_${right}, `).join('') +
    `(SELECT c.relpersistence::text FROM pg_catalog.pg_class AS c WHERE c.oid = ${TABLE}) AS persistence, ` +
    // Policies do not apply to the owner, unless they are forced (engine-facts#postgres-row-security).
    "(SELECT c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE')) " +
    `FROM pg_catalog.pg_class AS c WHERE c.oid = ${TABLE}) AS hides_rows, ` +
    // A unique index that ON CONFLICT can use, on the key alone.
    'EXISTS (SELECT 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a ' +
    'ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] ' +
    `WHERE i.indrelid = ${TABLE} AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL ` +
    'AND i.indnkeyatts = 1 AND a.attname = $2::text) AS key_is_unique'
}

const COLUMNS_OF: Statement = {
  text:
    'SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type, ' +
    'CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END AS longest, c.collname::text AS collation, ' +
    "a.attnotnull AS not_null, (a.atthasdef OR a.attidentity <> '') AS has_default, " +
    "a.attgenerated <> '' AS is_generated " +
    'FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = a.attcollation ' +
    `WHERE a.attrelid = ${TABLE} AND a.attnum > 0 AND NOT a.attisdropped`
}

const TEXT = ['text', 'character varying']
const JSON_TEXT = ['json', 'jsonb', 'text']
const NOT_UNIQUE = 'its key has no primary key or unique index of its own, or one that is deferrable'

/**
 * Refuses a server that cannot be written to, and a table that cannot keep the contract. Settings that may lose
 * acknowledged writes in a crash (engine-facts#postgres-synchronous-commit), or hide them, are warnings.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER; any error of the driver
 */
export async function checkTable (session: PostgresSession, table: PostgresTableOptions): Promise<void> {
  const { name } = quotedTable(table)
  const sql = `It is made with: ${createTableSql(table)}`
  const [server] = await session.query<Server>(SERVER, [name, columnName(table, 'key')]) as [Server]
  if (server.is_read_only === 'on') refuse('the server is read only, as a standby is. Connect to the primary.')
  if (server.encoding !== 'UTF8') {
    refuse(`the database has the encoding ${server.encoding}, which cannot hold every key. Use one with UTF8.`)
  }
  if (server.persistence === null) refuse(`there is no table ${name}. ${sql}`)
  const flaw = flawOfColumns(await session.query<Column>(COLUMNS_OF, [name]), table) ??
    (server.key_is_unique ? undefined : NOT_UNIQUE)
  if (flaw !== undefined) refuse(`the table ${name} has another shape: ${flaw}. ${sql}`)
  const missing = RIGHTS.filter((right) => server[`may_${right}`] !== true)
  if (missing.length > 0) {
    refuse(`the user may not ${missing.join(', ')} in ${name}. GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} to it.`)
  }
  warnOf(server, name)
}

function warnOf (server: Server, name: string): void {
  for (const setting of DURABILITY.filter((setting) => server[setting] === 'off')) {
    warn(
      'FST_IF_MATCH_POSTGRES_NOT_DURABLE',
      `PostgreSQL runs with ${setting} = off: a crash of the server can lose writes that were acknowledged.`
    )
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

function columnName ({ columns }: PostgresTableOptions, column: typeof COLUMNS[number]): string {
  return columns?.[column] ?? column
}

function flawOfColumns (columns: readonly Column[], table: PostgresTableOptions): string | undefined {
  for (const column of COLUMNS) {
    const name = columnName(table, column)
    const found = columns.find((candidate) => candidate.name === name)
    if (found === undefined) return `it has no column ${name}`
    const flaw = flawOfColumn(column, found)
    if (flaw !== undefined) return `its column ${name} ${flaw}`
  }
  const names = COLUMNS.map((column) => columnName(table, column))
  const other = columns.find((column) => !names.includes(column.name) && column.not_null && !column.has_default)
  return other && `its column ${other.name} takes no NULL and has no default, and nobody fills it`
}

function flawOfColumn (column: typeof COLUMNS[number], found: Column): string | undefined {
  const types = column === 'value' ? JSON_TEXT : TEXT
  const isVersion = column === 'version' || column === 'replaced'
  const isOptional = column === 'replaced' || column === 'digest'
  if (!types.includes(found.type)) return `is ${found.type}, and not ${types.join(' or ')}`
  if (found.is_generated) return 'is generated'
  if (isVersion && found.longest !== null && found.longest < VERSION_LENGTH) {
    return `takes ${found.longest} characters, and a version has ${VERSION_LENGTH}`
  }
  if (column === 'digest' && found.longest !== null && found.longest < MAX_DIGEST_LENGTH) {
    return `takes ${found.longest} characters, and a digest has up to ${MAX_DIGEST_LENGTH}`
  }
  if (column === 'key' && found.collation !== 'C' && found.collation !== 'POSIX') {
    return 'is not COLLATE "C", so keys are not ordered by their bytes'
  }
  return isOptional && found.not_null ? 'takes no NULL' : undefined
}

function refuse (why: string): never {
  throw new InvalidAdapterError(`cannot use this PostgreSQL database: ${why}`)
}
