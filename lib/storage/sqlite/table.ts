import { StorageFaultError } from '../../errors.js'
import type {
  Expectation,
  ReadOptions,
  Refused,
  RemoveExpectation,
  RemoveResult,
  Stored,
  WriteResult
} from '../adapter.js'
import { satisfies } from '../kit/expectation.js'
import { quoteName } from '../kit/sql-name.js'
import { storedText } from '../kit/stored-json.js'
import { needsNoValue, withoutValue } from '../kit/unless.js'
import { newVersion } from '../kit/version.js'
import { FAULT } from '../kit/whose-fault.js'
import type { SqliteChanges, SqliteDatabase } from './client.js'

interface Facts { version: string, replaced: string | null, digest: string | null }

interface Row extends Facts { value: string }

/** The statements on one table. `write` and `remove` must run in a transaction that holds the write lock. */
export class SqliteTable<T> {
  readonly #version
  readonly #facts
  readonly #read
  readonly #write
  readonly #remove
  readonly #list

  constructor (database: SqliteDatabase, name: string) {
    const table = quoteName(name)
    const columns = 'value, version, replaced, digest'
    this.#version = database.prepare(`SELECT version FROM ${table} WHERE key = ?`)
    // Values are in the last column, and of a large one this reads no page but the first.
    this.#facts = database.prepare(`SELECT version, replaced, digest FROM ${table} WHERE key = ?`)
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

  /** Within a transaction, so that both of its statements see one state. */
  read (key: string, options?: ReadOptions): Stored<T> | undefined {
    if (options?.unless !== undefined) {
      const facts = this.#facts.get(key) as Facts | undefined
      if (facts === undefined) return undefined
      if (needsNoValue(options, facts.version)) return withoutValue(factsOf(facts))
    }
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
    return rows.map((row) => Object.assign(storedOf<T>(row), { key: row.key }))
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

const DAMAGED = 'SQLite: a stored value is not JSON. Look for who else writes to the table.'

function storedOf<T> (row: Row): Stored<T> {
  return storedText(row.value, factsOf(row), DAMAGED)
}

function factsOf ({ version, replaced, digest }: Facts) {
  return { version, replaced: replaced ?? undefined, digest: digest ?? undefined }
}
