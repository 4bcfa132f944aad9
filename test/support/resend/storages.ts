import { Type } from '@sinclair/typebox'
import Database from 'better-sqlite3'
import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { statementsAdapter } from 'fastify-if-match/storage/statements'
import { tableAdapter } from 'fastify-if-match/storage/table'
import { sqliteTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { fileOf } from '../sqlite/handles.js'

/** What the tests of resending store: the names of all changes, in the order in which they were applied. */
export interface Log { changes: string }

const toId = (key: string): string => key.slice('/logs/'.length)

// As for the orders: better-sqlite3 is built for one Node.js, and node:sqlite is not in all of them.
function open (t: Test, ...sql: string[]): Database.Database {
  const sqlite = process.getBuiltinModule('node:sqlite') as
    { DatabaseSync: new (file: string) => Database.Database } | undefined
  const database = sqlite === undefined ? new Database(fileOf(t)) : new sqlite.DatabaseSync(fileOf(t))
  database.exec('PRAGMA synchronous = OFF')
  for (const statement of sql) database.exec(statement)
  t.teardown(() => database.close())
  return database
}

const LOGS = `CREATE TABLE logs (
  id TEXT PRIMARY KEY, changes TEXT NOT NULL, version TEXT NOT NULL, replaced TEXT, digest TEXT)`

/** A table of the app under four statements. */
export function statementsOverLogs (t: Test): StorageAdapter<Log> {
  const client = open(t, LOGS)
  const matching = (versions?: readonly string[]): string =>
    versions === undefined ? '' : ` AND version IN (${versions.map((version) => `'${version}'`).join()})`
  return statementsAdapter<Log, Log, Database.Database, string>({
    client,
    toId,
    toColumns: (value) => value,
    toValue: ({ changes }) => ({ changes }),
    read: async (client, id) => client.prepare('SELECT * FROM logs WHERE id = ?').get(id) as never,
    update: async (client, id, row, versions) => client.prepare(
      'UPDATE logs SET changes = @changes, replaced = version, version = @version, digest = @digest ' +
      `WHERE id = @id${matching(versions)}`
    ).run({ ...row, id }).changes,
    insert: async (client, id, row) => client.prepare(
      'INSERT INTO logs (id, changes, version, digest) VALUES (@id, @changes, @version, @digest) ON CONFLICT DO NOTHING'
    ).run({ ...row, id }).changes,
    remove: async (client, id, versions) =>
      client.prepare(`DELETE FROM logs WHERE id = ?${matching(versions)}`).run(id).changes
  })
}

/** A table of the app by its description. */
export function tableOfLogs (t: Test): StorageAdapter<Log> {
  const client = open(t, 'CREATE TABLE logs (id TEXT PRIMARY KEY, changes TEXT NOT NULL)')
  const adapter = tableAdapter({
    client,
    table: 'logs',
    id: 'id',
    version: 'row_version',
    replaced: 'replaced',
    digest: 'digest',
    columns: Type.Object({ changes: Type.String() }),
    key: '/logs/:id'
  })
  for (const statement of adapter.migration()) client.exec(statement)
  return adapter
}

/** Transactions of the app, which keep what is known of the last write beside the row. */
export function transactionsOverLogs (t: Test): StorageAdapter<Log> {
  const client = open(
    t,
    'CREATE TABLE logs (id TEXT PRIMARY KEY, changes TEXT NOT NULL, row_version INTEGER NOT NULL DEFAULT 1)',
    'CREATE TABLE last_writes (id TEXT PRIMARY KEY, version TEXT, replaced TEXT, digest TEXT)'
  )
  type Row = Log & { row_version: number }
  const rowOf = (tx: Database.Database, id: string): Row | undefined =>
    tx.prepare('SELECT * FROM logs WHERE id = ?').get(id) as Row | undefined
  return transactionsAdapter<Log, Database.Database, Database.Database>({
    client,
    transaction: sqliteTransaction(client),
    toId,
    version: (tx, id) => rowOf(tx, id)?.row_version,
    read (tx, id) {
      const row = rowOf(tx, id)
      const lastWrite = tx.prepare('SELECT version, replaced, digest FROM last_writes WHERE id = ?').get(id) as never
      return row && { version: row.row_version, value: { changes: row.changes }, lastWrite }
    },
    save (tx, id, { changes }) {
      tx.prepare('INSERT INTO logs (id, changes) VALUES (?, ?) ON CONFLICT DO UPDATE SET changes = excluded.changes, ' +
        'row_version = row_version + 1').run(id, changes)
    },
    saveLastWrite (tx, id, write) {
      tx.prepare('INSERT OR REPLACE INTO last_writes VALUES (?, ?, ?, ?)')
        .run(id, write.version, write.replaced, write.digest)
    }
  })
}
