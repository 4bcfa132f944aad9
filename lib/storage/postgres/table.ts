import type { ReadOptions, RemoveExpectation, Stored } from '../adapter.js'
import { backOff } from '../kit/backoff.js'
import type { Applied, EntityTable, Listed, Removed, Write } from '../kit/entity-table.js'
import { endOfPrefix } from '../kit/key.js'
import { throwIfStopped } from '../kit/stop.js'
import { storedText } from '../kit/stored-json.js'
import { needsNoValue, withoutValue } from '../kit/unless.js'
import { possibleVersions } from '../kit/version.js'
import { faultKind, readError, writeError } from './faults.js'
import type { PostgresSession } from './session.js'
import type { Statement, Statements } from './sql.js'

const ATTEMPTS = 16
const LONGEST_PAUSE = 64

/** A row, as the statements name its columns. The value is left out, or null, where the caller needs none. */
export interface Row { value?: string | null, version: string, replaced: string | null, digest: string | null }

/** The operations over one session, each as one statement. */
export class PostgresTable<T> implements EntityTable<T> {
  readonly #session: PostgresSession
  readonly #statements: Statements
  readonly #isInTransaction: boolean

  /**
   * @param isInTransaction whether the session is in a transaction of the app. There a statement that failed cannot be
   *   tried again (engine-facts#postgres-aborted-transaction)
   */
  constructor (session: PostgresSession, statements: Statements, isInTransaction: boolean) {
    this.#session = session
    this.#statements = statements
    this.#isInTransaction = isInTransaction
  }

  async read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined> {
    const [statement, values] = this.#readOf(key, options?.unless)
    const [row] = await this.#send<Row>(statement, values, options, readError)
    return row && storedOf(row, options)
  }

  async write ({ key, version, json, expectation, options }: Write): Promise<Applied> {
    const values: unknown[] = [key, version, json, options?.digest ?? null]
    if (expectation.kind === 'version') {
      const versions = possibleVersions(expectation.versions)
      if (versions.length === 0) return undefined
      values.push(versions)
    }
    const statement = this.#statements.write[expectation.kind]
    const [row] = await this.#change<{ replaced: string | null }>(statement, values, options)
    return row && { applied: true, version, created: row.replaced === null }
  }

  async remove (key: string, expectation: RemoveExpectation, options?: ReadOptions): Promise<Removed> {
    const values: unknown[] = [key]
    if (expectation.kind === 'version') {
      const versions = possibleVersions(expectation.versions)
      if (versions.length === 0) return undefined
      values.push(versions)
    }
    const [row] = await this.#change<object>(this.#statements.remove[expectation.kind], values, options)
    return row && { applied: true }
  }

  async list (prefix: string, after: string, limit: number, options?: ReadOptions): Promise<Array<Listed<T>>> {
    const { list, listToEnd } = this.#statements
    const end = endOfPrefix(prefix)
    const rows = end === undefined
      ? await this.#send<Row & { key: string }>(listToEnd, [prefix, after, limit], options, readError)
      : await this.#send<Row & { key: string }>(list, [prefix, after, limit, end], options, readError)
    return rows.map((row) => Object.assign(storedOf<T>(row), { key: row.key }))
  }

  #readOf (key: string, unless: ReadOptions['unless']): [statement: Statement, values: unknown[]] {
    const { read, readFacts, readUnless } = this.#statements
    if (unless === '*') return [readFacts, [key]]
    const versions = possibleVersions(unless ?? [])
    return versions.length === 0 ? [read, [key]] : [readUnless, [key, versions]]
  }

  async #change<R>(statement: Statement, values: unknown[], options: ReadOptions | undefined): Promise<R[]> {
    return await this.#send<R>(statement, values, options, (error, attempts) =>
      writeError(error, attempts, this.#isInTransaction)
    )
  }

  // Tries again after a rollback of the statement alone (engine-facts#postgres-serialization-failure).
  async #send<R>(
    statement: Statement,
    values: unknown[],
    options: ReadOptions | undefined,
    contractError: (error: unknown, attempts: number) => Error,
    attempt = 1
  ): Promise<R[]> {
    throwIfStopped(options)
    try {
      return await this.#session.query<R>(statement, values)
    } catch (error) {
      const mayTryAgain = faultKind(error) === 'RETRY' && !this.#isInTransaction && attempt < ATTEMPTS
      if (!mayTryAgain) throw contractError(error, attempt)
    }
    await backOff(attempt, LONGEST_PAUSE)
    return await this.#send(statement, values, options, contractError, attempt + 1)
  }
}

const DAMAGED = 'PostgreSQL: a stored value is not JSON. Look for who else writes to the table.'

/**
 * The entity of a row, for a caller with these options. The value comes as text, so it is parsed once at most
 * (engine-facts#pg-json-parsing).
 */
export function storedOf<T> (row: Row, options?: ReadOptions): Stored<T> {
  const { version } = row
  const facts = { version, replaced: row.replaced ?? undefined, digest: row.digest ?? undefined }
  return needsNoValue(options, version) ? withoutValue(facts) : storedText(row.value!, facts, DAMAGED)
}
