import Database from 'better-sqlite3'
import type { HandStore } from './by-hand.js'

interface Row { version: number, json: string }

/** A statement that better-sqlite3 runs at once, each with its own sync of the disk. */
export async function sqliteByHand (file: string): Promise<HandStore> {
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec(
    'CREATE TABLE bench_hand (id TEXT PRIMARY KEY, version INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID'
  )
  const read = database.prepare<[string], Row>('SELECT version, json FROM bench_hand WHERE id = ?')
  const update = database.prepare<[string, string, string], Row>(
    'UPDATE bench_hand SET version = version + 1, json = ? WHERE id = ? AND version = ? RETURNING version'
  )
  const put = database.prepare<[string, string], Row>(
    'INSERT INTO bench_hand VALUES (?, 1, ?) ' +
      'ON CONFLICT (id) DO UPDATE SET version = version + 1, json = excluded.json RETURNING version'
  )
  return {
    async read (id) {
      const row = read.get(id)
      return row && { version: String(row.version), json: row.json }
    },
    async write (id, json, version) {
      const row = version === undefined ? put.get(id, json) : update.get(json, id, version)
      return row && String(row.version)
    },
    async close () { database.close() }
  }
}
