import { StorageUnavailableError } from '../../errors.js'
import type { Expectation, ReadOptions, RemoveExpectation, Stored, WriteOptions } from '../adapter.js'
import { backOff } from '../kit/backoff.js'
import { endOfPrefix } from '../kit/key.js'
import { faultOf, readError, writeError } from './faults.js'
import type { PostgresSession } from './session.js'
import type { Statement, Statements } from './sql.js'
import { throwIfStopped } from '../kit/stop.js'

const ATTEMPTS = 16
const LONGEST_PAUSE = 64

/** A row, as the statements name its columns. */
export interface Row { value: string, version: string, replaced: string | null, digest: string | null }

/** A read on its way. */
export interface Read { key: string, options: ReadOptions | undefined }

/** A write on its way: it carries the version that it brings (E2). */
export interface Write {
  key: string
  version: string
  json: string
  expectation: Expectation
  options: WriteOptions | undefined
}

/** What a write or a removal did. Undefined: nothing matched, and nothing was changed. */
export type Applied = { applied: true, version: string, created: boolean } | undefined

/**
 * The operations on the table, one statement each, over one session. What fails is an error of the contract.
 *
 * @param isInTransaction whether the session is in a transaction of the app: nothing can be tried again there (E23)
 */
export class PostgresTable<T> {
  readonly #session: PostgresSession
  readonly #statements: Statements
  readonly #isInTransaction: boolean

  constructor (session: PostgresSession, statements: Statements, isInTransaction: boolean) {
    this.#session = session
    this.#statements = statements
    this.#isInTransaction = isInTransaction
  }

  async read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined> {
    const [row] = await this.#send<Row>(this.#statements.read, [key], options, readError)
    return row && stored(row)
  }

  async write ({ key, version, json, expectation, options }: Write): Promise<Applied> {
    const values: unknown[] = [key, version, json, options?.digest ?? null]
    if (expectation.kind === 'version') {
      const versions = possible(expectation.versions)
      if (versions.length === 0) return undefined
      values.push(versions)
    }
    const [row] = await this.#change<{ replaced: string | null }>(
      this.#statements.write[expectation.kind],
      values,
      options
    )
    return row && { applied: true, version, created: row.replaced === null }
  }

  async remove (
    key: string,
    expectation: RemoveExpectation,
    options?: ReadOptions
  ): Promise<{ applied: true } | undefined> {
    const versions = expectation.kind === 'version' ? [possible(expectation.versions)] : []
    if (versions[0]?.length === 0) return undefined
    const [row] = await this.#change<object>(this.#statements.remove[expectation.kind], [key, ...versions], options)
    return row && { applied: true }
  }

  async list (
    prefix: string,
    after: string,
    limit: number,
    options?: ReadOptions
  ): Promise<Array<Stored<T> & { key: string }>> {
    const end = endOfPrefix(prefix)
    const [statement, ends] = end === undefined ? [this.#statements.listToEnd, []] : [this.#statements.list, [end]]
    const rows = await this.#send<Row & { key: string }>(statement, [prefix, after, limit, ...ends], options, readError)
    return rows.map((row) => ({ key: row.key, ...stored<T>(row) }))
  }

  async #change<R>(statement: Statement, values: unknown[], options: ReadOptions | undefined): Promise<R[]> {
    return await this.#send<R>(statement, values, options, (error, attempts) =>
      writeError(error, attempts, this.#isInTransaction)
    )
  }

  // Tried again only after a rollback, and where the statement was all there was to roll back.
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
      if (faultOf(error) !== 'RETRY' || this.#isInTransaction || attempt === ATTEMPTS) { throw contractError(error, attempt) }
    }
    await backOff(attempt, LONGEST_PAUSE)
    return await this.#send(statement, values, options, contractError, attempt + 1)
  }
}

/** The versions that can be there: what cannot be an entity-tag was never issued, and is never sent (E6). */
export function possible (versions: readonly string[]): string[] {
  return versions.filter((version) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(version))
}

/** What a row holds. The value comes as text, and is parsed once (E29). */
export function stored<T> ({ value, version, replaced, digest }: Row): Stored<T> {
  return { value: parse(value) as T, version, replaced: replaced ?? undefined, digest: digest ?? undefined }
}

// The error of JSON.parse quotes what it could not read, and stored content belongs into no log.
function parse (json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new StorageUnavailableError({
      cause: new Error('PostgreSQL: a stored value is not JSON. Look for who else writes to the table.')
    })
  }
}
