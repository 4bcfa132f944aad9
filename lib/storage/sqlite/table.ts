import { StorageFaultError } from '../../errors.js'
import type { Expectation, Refused, RemoveExpectation, RemoveResult, Stored, WriteResult } from '../adapter.js'
import { satisfies } from '../kit/expectation.js'
import { quoteName } from '../kit/sql-name.js'
import { parseStored } from '../kit/stored-json.js'
import { newVersion } from '../kit/version.js'
import { FAULT } from '../kit/whose-fault.js'
import type { SqliteChanges, SqliteDatabase } from './client.js'

interface Row { value: string, version: string, replaced: string | null, digest: string | null }

/** The statements on one table. `write` and `remove` must run in a transaction that holds the write lock. */
export class SqliteTable<T> {
  readonly #version
  readonly #read
  readonly #write
  readonly #remove
  readonly #list

  constructor (database: SqliteDatabase, name: string) {
    const table = quoteName(name)
    const columns = 'value, version, replaced, digest'
    this.#version = database.prepare(`SELECT version FROM ${table} WHERE key = ?`)
    this.#read = database.prepare(`SELECT ${columns} FROM ${table} WHERE key = ?`)
    this.#write = database.prepare(
      `INSERT INTO ${table} (key, ${columns}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) ` +
        'DO UPDATE SET value = excluded.value, version = excluded.version, replaced = excluded.replaced, ' +
        'digest = excluded.digest'
    )
    this.#remove = database.prepare(`DELETE FROM ${table} WHERE key = ?`)
    this.#list = database.prepare(
      `SELECT key, ${columns} FROM ${table} WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`
    )
  }

  read (key: string): Stored<T> | undefined {
    const row = this.#read.get(key) as Row | undefined
    return row && storedOf(row)
  }

  write (key: string, json: string, expectation: Expectation, digest: string | undefined): WriteResult<T> {
    const current = this.#currentVersion(key)
    if (!satisfies(expectation, current)) return this.#refusal(key)
    const version = newVersion()
    assertChanged(this.#write.run(key, json, version, current ?? null, digest ?? null))
    return { applied: true, version, created: current === undefined }
  }

  remove (key: string, expectation: RemoveExpectation): RemoveResult<T> {
    if (!satisfies(expectation, this.#currentVersion(key))) return this.#refusal(key)
    assertChanged(this.#remove.run(key))
    return { applied: true }
  }

  /** Keys from `from` (inclusive) to `to` (exclusive; undefined: to the end), ordered by their bytes. */
  list (from: string, to: string | undefined, limit: number): Array<Stored<T> & { key: string }> {
    // Every text is less than any blob (engine-facts#sqlite-text-before-blob).
    const rows = this.#list.all(from, to ?? new Uint8Array(), limit) as Array<Row & { key: string }>
    return rows.map((row) => ({ key: row.key, ...storedOf<T>(row) }))
  }

  #currentVersion (key: string): string | undefined {
    return (this.#version.get(key) as { version: string } | undefined)?.version
  }

  #refusal (key: string): Refused<T> {
    return { applied: false, current: this.read(key) }
  }
}

// A trigger with RAISE(IGNORE) leaves a row out without an error (engine-facts#sqlite-raise-ignore). Such a write must
// not be acknowledged.
function assertChanged ({ changes }: SqliteChanges): void {
  if (Number(changes) === 1) return
  throw new StorageFaultError(FAULT.nothing)
}

function storedOf<T> ({ value, version, replaced, digest }: Row): Stored<T> {
  return {
    value: parseStored(value, 'SQLite: a stored value is not JSON. Look for who else writes to the table.') as T,
    version,
    replaced: replaced ?? undefined,
    digest: digest ?? undefined
  }
}
