import { InvalidAdapterError } from '../../errors.js'
import { MAX_DIGEST_LENGTH, VERSION_LENGTH } from '../kit/version.js'
import { warn } from '../kit/warn.js'
import type { Row } from './client.js'
import type { MysqlSession } from './session.js'
import { COLUMNS, createTableSql, quotedTable, type MysqlTableOptions } from './sql.js'

// The numbers of the server for a right that is missing: to do this, to do this in this column.
const FORBIDDEN: readonly unknown[] = [1142, 1143]

// The table of that name, as the server tells names apart.
const IS_TABLE = 'TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? ' +
  'AND (@@lower_case_table_names <> 0 OR CAST(TABLE_NAME AS BINARY) = ?)'

const ENGINE = `SELECT ENGINE, TABLE_TYPE FROM information_schema.TABLES WHERE ${IS_TABLE}`

const COLUMNS_OF = 'SELECT COLUMN_NAME, DATA_TYPE, CAST(CHARACTER_OCTET_LENGTH AS CHAR), CHARACTER_SET_NAME, ' +
  'COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT, EXTRA FROM information_schema.COLUMNS ' +
  `WHERE ${IS_TABLE}`

const PRIMARY_KEY = 'SELECT COLUMN_NAME, CAST(SUB_PART AS CHAR) FROM information_schema.STATISTICS ' +
  `WHERE INDEX_NAME = 'PRIMARY' AND ${IS_TABLE}`

// A character of four bytes, as the server gets it and gives it back.
const CHARACTER = '\u{1f600}'
const CHARSET = "SELECT DATABASE(), HEX(?), CONVERT(X'F09F9880' USING utf8mb4)"

const SETTINGS = "SHOW VARIABLES WHERE Variable_name IN ('autocommit', 'sql_mode', 'tx_isolation', " +
  "'transaction_isolation', 'unique_checks', 'innodb_flush_log_at_trx_commit', 'innodb_doublewrite')"

/**
 * Creates the table if it is missing.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER if the user may not create it; any error of the driver
 */
export async function makeTable (session: MysqlSession, table: MysqlTableOptions): Promise<void> {
  try {
    await session.query(createTableSql(table), [])
  } catch (error) {
    if (!FORBIDDEN.includes((error as { errno?: unknown }).errno)) throw error
    const [found] = await session.query(ENGINE, namesOf(table))
    if (found !== undefined) return
    const { name } = quotedTable(table)
    refuse(
      `the user may not make the table. Let somebody who may run: ${createTableSql(table)}; ` +
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} to the user.`
    )
  }
}

/**
 * Refuses a server that cannot be written to, a connection that changes what is stored, and a table that cannot keep
 * the contract. Settings that may lose acknowledged writes in a crash are warnings.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER; any error of the driver
 */
export async function checkTable (session: MysqlSession, table: MysqlTableOptions): Promise<void> {
  const { name } = quotedTable(table)
  const sql = `It is made with: ${createTableSql(table)}`
  await session.server()
  const settings = new Map((await session.query(SETTINGS, [])) as Array<[string, string]>)
  assertNothing(flawOfConnection(settings))
  const [[database, sent, received]] = await session.query(CHARSET, [CHARACTER]) as [Row]
  if (database === null && table.database === undefined) {
    refuse('the connection has no database. Name one in its address, or in the option "database".')
  }
  if (sent !== 'F09F9880' || received !== CHARACTER) {
    refuse('the connection has another character set than utf8mb4, and loses characters. Leave its option charset out.')
  }
  const [found] = await session.query(ENGINE, namesOf(table))
  if (found === undefined) refuse(`there is no table ${name}, or the user has no rights on it. ${sql}`)
  const flaw = flawOfEngine(found) ??
    flawOfColumns(await session.query(COLUMNS_OF, namesOf(table)), table) ??
    flawOfKey(await session.query(PRIMARY_KEY, namesOf(table)), table)
  if (flaw !== undefined) refuse(`the table ${name} has another shape: ${flaw}. ${sql}`)
  await assertWritable(session, table)
  warnOf(settings)
}

function namesOf ({ database, table = 'entities' }: MysqlTableOptions): [string | null, string, string] {
  return [database ?? null, table, table]
}

function flawOfConnection (settings: ReadonlyMap<string, string>): string | undefined {
  const isolation = settings.get('transaction_isolation') ?? settings.get('tx_isolation')
  if (settings.get('autocommit') !== 'ON') {
    return 'the connection has autocommit = 0, so what is written would be rolled back. Set it to 1.'
  }
  if (!/\bSTRICT_(TRANS|ALL)_TABLES\b/.test(String(settings.get('sql_mode')))) {
    return 'the connection has an sql_mode that is not strict, so values are cut off or replaced. ' +
      'Let sql_mode have STRICT_TRANS_TABLES, as it has by default.'
  }
  if (/\bEMPTY_STRING_IS_NULL\b/.test(String(settings.get('sql_mode')))) {
    return 'the connection has EMPTY_STRING_IS_NULL in its sql_mode, which changes values. Take it out.'
  }
  // In a transaction on an empty table MariaDB takes one key twice then (engine-facts#mariadb-unique-checks-off).
  if (settings.get('unique_checks') !== 'ON') {
    return 'the connection has unique_checks = 0, so an entity could be created twice. Set it to 1.'
  }
  // What another transaction has not committed would prove a write whose answer was lost.
  return isolation === 'READ-UNCOMMITTED'
    ? 'the connection reads what is not committed. Set its isolation level to READ COMMITTED or higher.'
    : undefined
}

function flawOfEngine ([engine, type]: Row): string | undefined {
  if (type !== 'BASE TABLE') return `it is a ${String(type)}, and no table`
  // Others have no transactions, or no locks of rows: a statement that fails would leave a part.
  return engine === 'InnoDB' ? undefined : `its engine is ${String(engine)}, and not InnoDB`
}

interface Column {
  name: string
  type: string
  bytes: number
  charset: string | null
  collation: string | null
  isNullable: boolean
  hasDefault: boolean
  isGenerated: boolean
}

function columnOf ([name, type, bytes, charset, collation, nullable, byDefault, extra]: Row): Column {
  return {
    name: name!.toLowerCase(),
    type: type!,
    bytes: Number(bytes),
    charset: charset!,
    collation: collation!,
    isNullable: nullable === 'YES',
    hasDefault: byDefault !== null || /auto_increment/i.test(String(extra)),
    // MariaDB and MySQL have other words for it. DEFAULT_GENERATED is a default.
    isGenerated: /\b(VIRTUAL|STORED|PERSISTENT)\b/i.test(String(extra))
  }
}

function flawOfColumns (rows: readonly Row[], table: MysqlTableOptions): string | undefined {
  const columns = rows.map(columnOf)
  const names = COLUMNS.map((column) => columnName(table, column).toLowerCase())
  for (const [index, column] of COLUMNS.entries()) {
    const found = columns.find(({ name }) => name === names[index])
    if (found === undefined) return `it has no column ${columnName(table, column)}`
    const flaw = flawOfColumn(column, found)
    if (flaw !== undefined) return `its column ${columnName(table, column)} ${flaw}`
  }
  const other = columns.find(({ name, isNullable, hasDefault, isGenerated }) =>
    !names.includes(name) && !isNullable && !hasDefault && !isGenerated)
  return other && `its column ${other.name} takes no NULL and has no default, and nobody fills it`
}

const TEXT = ['text', 'mediumtext', 'longtext']
const TYPES: Readonly<Record<typeof COLUMNS[number], readonly string[]>> = {
  key: ['varbinary'],
  version: ['varbinary', 'varchar'],
  replaced: ['varbinary', 'varchar'],
  digest: ['varchar', ...TEXT],
  value: TEXT
}

const MAX_KEY_BYTES = 1024

function flawOfColumn (column: typeof COLUMNS[number], found: Column): string | undefined {
  const types = TYPES[column]
  const isVersion = column === 'version' || column === 'replaced'
  const isText = column === 'value' || column === 'digest'
  const isOptional = column === 'replaced' || column === 'digest'
  // JSON of MySQL orders keys anew, and changes numbers. That of MariaDB is a text.
  if (found.type === 'json') return 'is json, which changes values. Take longtext'
  if (!types.includes(found.type)) return `is ${found.type}, and not ${types.join(' or ')}`
  if (found.isGenerated) return 'is generated'
  if (column === 'key' && found.bytes < MAX_KEY_BYTES) {
    return `takes ${found.bytes} bytes, and a key has up to ${MAX_KEY_BYTES}`
  }
  if (isVersion && found.bytes < VERSION_LENGTH) {
    return `takes ${found.bytes} bytes, and a version has ${VERSION_LENGTH}`
  }
  // Four bytes a character: its character set is utf8mb4.
  if (column === 'digest' && found.bytes < 4 * MAX_DIGEST_LENGTH) {
    return `takes ${found.bytes / 4} characters, and a digest has up to ${MAX_DIGEST_LENGTH}`
  }
  if (isVersion && found.collation !== null && !found.collation.endsWith('_bin')) {
    return `has the collation ${found.collation}, to which two versions may be one`
  }
  if (isText && found.charset !== 'utf8mb4') {
    return `has the character set ${String(found.charset)}, and not utf8mb4`
  }
  return isOptional && !found.isNullable ? 'takes no NULL' : undefined
}

function flawOfKey (columns: readonly Row[], table: MysqlTableOptions): string | undefined {
  const key = columnName(table, 'key')
  const [first, ...others] = columns
  const isKey = first !== undefined && others.length === 0 && first[0]!.toLowerCase() === key.toLowerCase()
  return isKey && first[1] === null ? undefined : `its column ${key} is not its primary key by itself`
}

function columnName ({ columns }: MysqlTableOptions, column: typeof COLUMNS[number]): string {
  return columns?.[column] ?? column
}

// The server refuses a statement for a missing right, and for being read only, before it looks for rows.
async function assertWritable (session: MysqlSession, table: MysqlTableOptions): Promise<void> {
  const { name, columns } = quotedTable(table)
  const all = Object.values(columns).join(', ')
  // No entity has it. With sql_safe_updates the server takes no condition without a key.
  const where = `WHERE ${columns.key} = ''`
  const statements = [
    `SELECT ${all} FROM ${name} ${where}`,
    `INSERT INTO ${name} (${all}) SELECT NULL, NULL, NULL, NULL, NULL FROM DUAL WHERE FALSE`,
    `UPDATE ${name} SET ${Object.values(columns).map((column) => `${column} = ${column}`).join(', ')} ${where}`,
    `DELETE FROM ${name} ${where}`
  ]
  for (const statement of statements) {
    try {
      await session.query(statement, [])
    } catch (error) {
      if (!FORBIDDEN.includes((error as { errno?: unknown }).errno)) throw error
      const [right] = statement.split(' ', 1)
      refuse(`the user may not ${right!} in ${name}. GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} to it.`)
    }
  }
}

function warnOf (settings: ReadonlyMap<string, string>): void {
  const isLazy = settings.get('innodb_flush_log_at_trx_commit') !== '1'
  const weak = isLazy ? 'innodb_flush_log_at_trx_commit' : 'innodb_doublewrite'
  const value = settings.get(weak)
  if (!isLazy && value !== 'OFF') return
  warn(
    'FST_IF_MATCH_MYSQL_NOT_DURABLE',
    `MySQL runs with ${weak} = ${String(value)}: a crash of the server can lose writes that were acknowledged.`
  )
}

function assertNothing (flaw: string | undefined): void {
  if (flaw !== undefined) refuse(flaw)
}

function refuse (why: string): never {
  throw new InvalidAdapterError(`cannot use this MySQL database: ${why}`)
}
