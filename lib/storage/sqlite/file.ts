import { InvalidAdapterError } from '../../errors.js'
import { quoteName, type SqliteDatabase } from './client.js'
import { BUSY_TIMEOUT } from './lock.js'

/** Marks a file as ours: "IfMt", as PRAGMA application_id has it. */
const APPLICATION_ID = 0x49664d74

const COLUMNS = ['key', 'version', 'replaced', 'digest', 'value']

interface Column { name: string, type: string, required: number }

// Whether each key is there once, as its bytes are.
const UNIQUE_KEY =
  'SELECT 1 FROM pragma_index_list(?) AS list WHERE "unique" AND NOT partial AND ' +
  "(SELECT group_concat(ifnull(name, '') || ' ' || coll) FROM pragma_index_xinfo(list.name) WHERE \"key\") = 'key BINARY'"

const LEVELS = { NORMAL: 1, FULL: 2 } as const

/** How hard a commit is: `FULL` survives a power cut, `NORMAL` may lose the last commits in one. */
export type Synchronous = keyof typeof LEVELS

/**
 * Makes the file ready, or refuses it: nothing is changed in a file of another application. Steps that another
 * connection gets in the way of throw SQLITE_BUSY; all of it may be done again.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER where the file cannot hold what the contract asks, or what the driver throws
 */
export function prepareFile (database: SqliteDatabase, table: string, synchronous: Synchronous): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
  // An entity that is looked for in them would look absent, and be overwritten.
  if (Array.isArray(database.prepare('SELECT 1').get())) { refuse('is opened with rows as arrays. Leave returnArrays out.') }
  refuseForeign(database, table)
  if (pragma(database, 'encoding') !== 'UTF-8') { refuse('has another encoding than UTF-8, and would order keys differently. Use a file of its own.') }
  if (pragma(database, 'journal_mode = WAL') !== 'wal') {
    refuse(
      'cannot have a write-ahead log, as one in memory or on a network share cannot. Use a file on a local disk, or memoryAdapter.'
    )
  }
  // On macOS, fsync alone leaves it to the drive when it writes. Elsewhere this changes nothing.
  database.exec('PRAGMA fullfsync = ON')
  database.exec(`PRAGMA synchronous = ${synchronous}`)
  if (Number(pragma(database, 'synchronous')) !== LEVELS[synchronous]) { refuse(`does not accept PRAGMA synchronous = ${synchronous}, so no write would be as durable as it says.`) }
  createTable(database, table)
}

// A file is ours if it is empty, is marked, or has the table already.
function refuseForeign (database: SqliteDatabase, table: string): void {
  const columns = database
    .prepare('SELECT name, type, "notnull" AND dflt_value IS NULL AND NOT pk AS required FROM pragma_table_info(?)')
    .all(table) as Column[]
  if (columns.length > 0) {
    if (!isOurs(columns) || database.prepare(UNIQUE_KEY).get(table) === undefined) { refuse(`has a table ${quoteName(table)} of another shape. Name another table, or a file of its own.`) }
    return
  }
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() === undefined
  const id = Number(pragma(database, 'application_id'))
  if (id !== APPLICATION_ID && (id !== 0 || !isEmpty)) { refuse(`belongs to another application. Name a file of its own, or create the table ${quoteName(table)} in it.`) }
}

// Another affinity than TEXT (https://sqlite.org/datatype3.html#determination_of_column_affinity) makes numbers of texts
// that look like one.
function isOurs (columns: readonly Column[]): boolean {
  const texts = columns.filter(
    ({ name, type }) => COLUMNS.includes(name) && /CHAR|CLOB|TEXT/i.test(type) && !/INT/i.test(type)
  )
  return texts.length === COLUMNS.length && columns.every(({ name, required }) => COLUMNS.includes(name) || !required)
}

// A rowid table, where the values do not lie in the pages of the index (E10).
function createTable (database: SqliteDatabase, table: string): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    const hasTable = database.prepare('SELECT 1 FROM pragma_table_info(?)').get(table) !== undefined
    if (!hasTable) {
      database.exec(
        `CREATE TABLE ${quoteName(table)} (key TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, replaced TEXT, digest TEXT, value TEXT NOT NULL)`
      )
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    }
    // A connection that may only read is refused here, and not at the first write.
    database.exec(`DELETE FROM ${quoteName(table)} WHERE key = ''`)
    database.exec('COMMIT')
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** Ends a transaction that failed. Where SQLite ended it by itself there is none any more, which is as good. */
export function rollBack (database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {}
}

function pragma (database: SqliteDatabase, what: string): unknown {
  const row = database.prepare(`PRAGMA ${what}`).get() as Record<string, unknown>
  return Object.values(row)[0]
}

function refuse (why: string): never {
  throw new InvalidAdapterError(`cannot use this SQLite file: it ${why}`)
}
