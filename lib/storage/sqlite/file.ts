import { InvalidAdapterError } from '../../errors.js'
import { quoteName } from '../kit/sql-name.js'
import type { SqliteDatabase } from './client.js'
import { BUSY_TIMEOUT } from './lock.js'
import type { Synchronous } from './options.js'

/** Marks a file as one of this adapter: "IfMt", as PRAGMA application_id has it. */
const APPLICATION_ID = 0x49664d74

const COLUMNS = ['key', 'version', 'replaced', 'digest', 'value']

interface Column { name: string, type: string, required: number }

// Finds a unique index on the bytes of the key alone.
const UNIQUE_KEY =
  'SELECT 1 FROM pragma_index_list(?) AS list WHERE "unique" AND NOT partial AND ' +
  "(SELECT group_concat(ifnull(name, '') || ' ' || coll) " +
  'FROM pragma_index_xinfo(list.name) WHERE "key") = \'key BINARY\''

// As PRAGMA synchronous reads it.
const LEVELS: Readonly<Record<Synchronous, number>> = { NORMAL: 1, FULL: 2 }

/**
 * Makes the file ready, or refuses it. A file of another application is not changed. If another connection holds a
 * lock, a step throws SQLITE_BUSY, and all of it may be done again.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER if the file cannot keep the contract; any error of the driver
 */
export function prepareFile (database: SqliteDatabase, table: string, synchronous: Synchronous): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
  // In rows as arrays every entity would look absent (engine-facts#sqlite-rows-as-arrays).
  if (Array.isArray(database.prepare('SELECT 1').get())) {
    refuse('is opened with rows as arrays. Leave returnArrays out.')
  }
  refuseForeign(database, table)
  if (pragma(database, 'encoding') !== 'UTF-8') {
    refuse('has another encoding than UTF-8, and would order keys differently. Use a file of its own.')
  }
  if (pragma(database, 'journal_mode = WAL') !== 'wal') {
    refuse('cannot have a write-ahead log, as one in memory or on a network share cannot. ' +
      'Use a file on a local disk, or memoryAdapter.')
  }
  // On macOS, fsync alone does not reach the disk (engine-facts#sqlite-fullfsync). Elsewhere this changes nothing.
  database.exec('PRAGMA fullfsync = ON')
  database.exec(`PRAGMA synchronous = ${synchronous}`)
  if (Number(pragma(database, 'synchronous')) !== LEVELS[synchronous]) {
    refuse(`does not accept PRAGMA synchronous = ${synchronous}, so no write would be as durable as it says.`)
  }
  createTable(database, table)
}

// A file may be used if it is empty, has the mark of this adapter, or has the table already.
function refuseForeign (database: SqliteDatabase, table: string): void {
  const columns = database
    .prepare('SELECT name, type, "notnull" AND dflt_value IS NULL AND NOT pk AS required FROM pragma_table_info(?)')
    .all(table) as Column[]
  if (columns.length > 0) {
    if (hasShape(columns) && database.prepare(UNIQUE_KEY).get(table) !== undefined) return
    refuse(`has a table ${quoteName(table)} of another shape. Name another table, or a file of its own.`)
  }
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() === undefined
  const id = Number(pragma(database, 'application_id'))
  if (id === APPLICATION_ID || (id === 0 && isEmpty)) return
  refuse('belongs to another application. ' +
    `Name a file of its own, or create the table ${quoteName(table)} in it.`)
}

// In a column of another affinity than TEXT, SQLite makes numbers of texts that look like one
// (engine-facts#sqlite-column-affinity).
function hasShape (columns: readonly Column[]): boolean {
  const texts = columns.filter(
    ({ name, type }) => COLUMNS.includes(name) && /CHAR|CLOB|TEXT/i.test(type) && !/INT/i.test(type)
  )
  return texts.length === COLUMNS.length && columns.every(({ name, required }) => COLUMNS.includes(name) || !required)
}

function createTable (database: SqliteDatabase, table: string): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    const hasTable = database.prepare('SELECT 1 FROM pragma_table_info(?)').get(table) !== undefined
    if (!hasTable) {
      // A rowid table keeps values out of the pages of the index (engine-facts#sqlite-rowid-table).
      database.exec(
        `CREATE TABLE ${quoteName(table)} (key TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, ` +
          'replaced TEXT, digest TEXT, value TEXT NOT NULL)'
      )
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    }
    // No key is empty, so this deletes nothing. A connection that may only read fails here, and not at the first write.
    database.exec(`DELETE FROM ${quoteName(table)} WHERE key = ''`)
    database.exec('COMMIT')
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** Ends a transaction that failed. SQLite may have rolled back already: ignore that error. */
export function rollBack (database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {}
}

function pragma (database: SqliteDatabase, text: string): unknown {
  const row = database.prepare(`PRAGMA ${text}`).get() as Record<string, unknown>
  return Object.values(row)[0]
}

function refuse (why: string): never {
  throw new InvalidAdapterError(`cannot use this SQLite file: it ${why}`)
}
