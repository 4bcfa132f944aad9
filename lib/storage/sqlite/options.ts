import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import type { SqliteDatabase } from './client.js'

/**
 * How far a commit goes. `'FULL'`: an acknowledged write survives a power cut. `'NORMAL'`: a power cut may take back
 * the last commits, and the file stays sound.
 */
export type Synchronous = 'FULL' | 'NORMAL'

/** Options of `sqliteAdapter`. */
export interface SqliteAdapterOptions {
  /**
   * The handle: a `Database` of better-sqlite3 or a `DatabaseSync` of `node:sqlite`. The adapter sets its pragmas, and
   * only the adapter may open transactions on it. The adapter never closes it: close it after the app.
   */
  database: SqliteDatabase
  /** The name of the table, which is created if it is missing (default `'entities'`). */
  table?: string
  /**
   * `'FULL'` (default): an acknowledged write survives a power cut. `'NORMAL'`: a power cut may take back the last
   * commits, and the file stays sound. A killed process loses nothing either way.
   */
  synchronous?: Synchronous
  /** How long the adapter waits for a lock that another process holds, in milliseconds (default 5,000). */
  lockTimeout?: number
}

/** The options with their defaults. @throws FST_IF_MATCH_INVALID_OPTIONS, naming the option */
export function settingsOf (options: SqliteAdapterOptions): Required<SqliteAdapterOptions> {
  const given = Object(options) as SqliteAdapterOptions
  const { database, table = 'entities', synchronous = 'FULL', lockTimeout = 5000 } = given
  const settings = { database, table, synchronous, lockTimeout }
  assertNoFlaw('sqliteAdapter', [
    [!isHandle(database), '"database" must be a handle of better-sqlite3 or node:sqlite.'],
    [typeof table !== 'string' || table === '' || table.includes('\0'), '"table" must be the name of a table.'],
    [synchronous !== 'FULL' && synchronous !== 'NORMAL', '"synchronous" must be "FULL" or "NORMAL".'],
    [!Number.isFinite(lockTimeout) || lockTimeout < 0, '"lockTimeout" must be a number of milliseconds, 0 or more.'],
    unknownOption(options, settings)
  ])
  return settings
}

function isHandle (database: Partial<SqliteDatabase> | undefined): boolean {
  return typeof database?.prepare === 'function' && typeof database.exec === 'function'
}
