import type { SqliteDatabase } from '../sqlite/client.js'

// Of each handle, the end of its last transaction: those of several adapters follow one another, too.
const lastOf = new WeakMap<object, Promise<unknown>>()

/**
 * The option `transaction` of `transactionsAdapter` for a handle of better-sqlite3, libsql or `node:sqlite`. A handle
 * has one transaction, so they follow one another. What else uses the handle meanwhile becomes part of the transaction:
 * give it to nothing else but `client` of such adapters, whose reads take turns with the works then.
 *
 * `BEGIN IMMEDIATE` takes the lock of the file, so nothing else writes between the comparison and the commit.
 *
 * @example
 * const handle = new Database('shop.db', { timeout: 0 })
 * transactionsAdapter({ client: handle, transaction: sqliteTransaction(handle), ... })
 */
export function sqliteTransaction<Handle extends Pick<SqliteDatabase, 'exec'>> (
  handle: Handle
): (work: (tx: Handle) => Promise<unknown>) => Promise<unknown> {
  async function run (work: (tx: Handle) => Promise<unknown>): Promise<unknown> {
    handle.exec('BEGIN IMMEDIATE')
    try {
      const result = await work(handle)
      handle.exec('COMMIT')
      return result
    } catch (error) {
      rollBack(handle)
      throw error
    }
  }

  return async (work) => {
    const turn = (lastOf.get(handle) ?? Promise.resolve()).then(() => run(work))
    lastOf.set(handle, turn.catch(() => {}))
    return await turn
  }
}

// SQLite may have rolled back already, and refuses it then.
function rollBack (handle: Pick<SqliteDatabase, 'exec'>): void {
  try {
    handle.exec('ROLLBACK')
  } catch {}
}
