import { OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import type { Expectation, ReadOptions, RemoveExpectation, Stored } from '../adapter.js'
import { backOff } from '../kit/backoff.js'
import type { Applied, EntityTable, Listed, Removed, Write } from '../kit/entity-table.js'
import { endOfPrefix } from '../kit/key.js'
import { KeyTurns } from '../kit/key-turns.js'
import { provenApplied } from '../kit/lost-answer.js'
import { throwIfStopped } from '../kit/stop.js'
import { storedText } from '../kit/stored-json.js'
import { withoutValue } from '../kit/unless.js'
import { possibleVersions } from '../kit/version.js'
import type { Row } from './client.js'
import { readError, writeError } from './errors.js'
import { faultKind, isTakenPrimaryKey } from './faults.js'
import type { MysqlSession } from './session.js'
import { SharedReads } from './shared-reads.js'
import { padded, quotedTable, statementsOn, type MysqlTableOptions, type Statements } from './sql.js'

const ATTEMPTS = 16
const LONGEST_PAUSE = 64

// A creation may meet the row of another one, which a third one removes before it is read: it is as good as impossible
// that this happens so many times in a row.
const CREATIONS = 4

/** Options of `MysqlTable`. */
export interface TableOptions {
  /** How long a change waits for an earlier change of its key, and a read behind others, in milliseconds. */
  timeout: number
  /** How long a change waits for a locked row, in milliseconds. */
  lockTimeout: number
  /**
   * `'inside'`: the session is in a transaction of the app. There a statement that failed cannot be tried again
   * (engine-facts#mariadb-rolled-back-goes-on), and a read may see an older snapshot. `'outside'`: it has one
   * connection, on which the app may have begun one.
   */
  onlyWhere: 'inside' | 'outside' | undefined
}

/** The operations on the table, each as one statement. They reject with errors of the contract. */
export class MysqlTable<T> implements EntityTable<T> {
  readonly #session: MysqlSession
  readonly #table: MysqlTableOptions
  readonly #options: TableOptions
  readonly #isInTransaction: boolean
  readonly #turns = new KeyTurns()
  readonly #statements = new Map<boolean, Statements>()
  /** Those that need no value go apart from the others, so that none is sent which nobody needs. */
  readonly #shared: Record<Kind, SharedReads<T>>

  constructor (session: MysqlSession, table: MysqlTableOptions, options: TableOptions) {
    this.#session = session
    this.#table = table
    this.#options = options
    this.#isInTransaction = options.onlyWhere === 'inside'
    const shared = (kind: Kind): SharedReads<T> => new SharedReads<T>(options.timeout, {
      one: (key, options) => this.#readOne(kind, key, options),
      many: (keys) => this.#readMany(kind, padded(keys))
    })
    this.#shared = { read: shared('read'), readFacts: shared('readFacts') }
  }

  async read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined> {
    const unless = options?.unless
    if (unless === '*') return await this.#readAny('readFacts', key, options)
    const versions = possibleVersions(unless ?? [])
    if (versions.length === 0) return await this.#readAny('read', key, options)
    const spared = padded(versions)
    return await this.#read((sql) => ({ text: sql.readUnless(spared.length), values: [...spared, key] }), options)
  }

  /** What is committed, or was written in this transaction: what a change meets. */
  async readNewest (key: string): Promise<Stored<T> | undefined> {
    return await this.#read((sql) => ({ text: this.#isInTransaction ? sql.readNewest : sql.read.one, values: [key] }))
  }

  /** @param attempt how often this write was tried, this time included */
  async write (write: Write, attempt: number): Promise<Applied> {
    return await this.#inTurn(write.key, async () => {
      try {
        return await this.#write(write, attempt)
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || this.#isInTransaction) throw error
        return await provenApplied(write.version, write.expectation, () => this.read(write.key), error.cause)
      }
    })
  }

  async remove (key: string, expectation: RemoveExpectation, options?: ReadOptions): Promise<Removed> {
    const versions = versionsOf(expectation)
    if (versions?.length === 0) return undefined
    const count = await this.#inTurn(key, () => this.#change(({ remove }) => versions === undefined
      ? { text: remove.exists, values: [key] }
      : { text: remove.version(versions.length), values: [key, ...versions] }, options))
    return count === 0 ? undefined : { applied: true }
  }

  /** At most `limit` entities, after the key `after`. */
  async list (prefix: string, after: string, limit: number, options?: ReadOptions): Promise<Array<Listed<T>>> {
    const end = endOfPrefix(prefix)
    const rows = await this.#query(({ list, listToEnd }) => end === undefined
      ? { text: listToEnd, values: [prefix, after, String(limit)] }
      : { text: list, values: [prefix, after, end, String(limit)] }, options)
    return rows.map((row) => ({ key: row[5]!, ...storedOf<T>(row) }))
  }

  async #read (statement: StatementOf, options?: ReadOptions): Promise<Stored<T> | undefined> {
    const [row] = await this.#query(statement, options) as [Row]
    return row[2] === null ? undefined : storedOf<T>(row)
  }

  #readAny (kind: Kind, key: string, options: ReadOptions | undefined): Promise<Stored<T> | undefined> {
    return this.#isInTransaction ? this.#readOne(kind, key, options) : this.#shared[kind].read(key, options)
  }

  #readOne (kind: Kind, key: string, options: ReadOptions | undefined): Promise<Stored<T> | undefined> {
    return this.#read((sql) => ({ text: sql[kind].one, values: [key] }), options)
  }

  async #readMany (kind: Kind, keys: string[]): Promise<(key: string) => Stored<T> | undefined> {
    const rows = await this.#query((sql) => ({ text: sql[kind].many(keys.length), values: keys }), undefined)
    const rowOf = new Map(rows.map((row) => [row[5], row]))
    return (key) => {
      const row = rowOf.get(key)
      return row && storedOf<T>(row)
    }
  }

  async #write ({ key, version, json, expectation, options }: Write, attempt: number): Promise<Applied> {
    const digest = options?.digest ?? null
    const { kind } = expectation
    if (kind === 'absent' || kind === 'any') {
      // Another table may have it, that of a trigger. Then nothing of this entity is read, and it comes again.
      const isRefusal = attempt < CREATIONS ? isTakenPrimaryKey : undefined
      const count = await this.#change(({ write }) =>
        ({ text: write[kind], values: [key, version, json, digest] }), options, isRefusal)
      // 1 for a row that was inserted, 2 for one that was updated (engine-facts#mariadb-affected-rows).
      return count === 0 ? undefined : { applied: true, version, created: count === 1 }
    }
    const versions = versionsOf(expectation)
    if (versions?.length === 0) return undefined
    const values = [version, json, digest, key]
    const count = await this.#change(({ write }) => versions === undefined
      ? { text: write.exists, values }
      : { text: write.version(versions.length), values: [...values, ...versions] }, options)
    return count === 0 ? undefined : { applied: true, version, created: false }
  }

  // In a transaction of the app its own locks keep others away.
  async #inTurn<R> (key: string, change: () => Promise<R>): Promise<R> {
    if (this.#isInTransaction) return await change()
    return await this.#turns.take(key, this.#options.timeout, change, () => new StorageUnavailableError({
      cause: new Error(
        'MySQL: earlier changes of the key took too long. Look for a transaction that somebody left open.'
      )
    }))
  }

  async #query (statement: StatementOf, options: ReadOptions | undefined): Promise<Row[]> {
    return await this.#send(statement, (text, values) => this.#session.query(text, values), options, readError)
  }

  /** @param isRefusal whether an error says that nothing matched, and so counts as 0 */
  async #change (
    statement: StatementOf,
    options: ReadOptions | undefined,
    isRefusal = (_error: unknown): boolean => false
  ): Promise<number> {
    const change = async (text: string, values: Array<string | null>): Promise<number> => {
      try {
        return await this.#session.change(text, values)
      } catch (error) {
        if (isRefusal(error)) return 0
        throw error
      }
    }
    return await this.#send(statement, change, options, (error, attempts) =>
      writeError(error, attempts, this.#isInTransaction)
    )
  }

  // A statement that stands for itself is run again after a deadlock: it was rolled back
  // (engine-facts#mariadb-single-statement-deadlock).
  async #send<R> (
    statement: StatementOf,
    send: (text: string, values: Array<string | null>) => Promise<R>,
    options: ReadOptions | undefined,
    contractError: (error: unknown, attempts: number) => Error,
    attempt = 1
  ): Promise<R> {
    throwIfStopped(options)
    try {
      const { text, values } = statement(await this.#statementsOfServer())
      return await send(text, values)
    } catch (error) {
      const mayTryAgain = faultKind(error) === 'RETRY' && !this.#isInTransaction && attempt < ATTEMPTS
      if (!mayTryAgain) throw contractError(error, attempt)
    }
    await backOff(attempt, LONGEST_PAUSE)
    return await this.#send(statement, send, options, contractError, attempt + 1)
  }

  async #statementsOfServer (): Promise<Statements> {
    const { isMariaDb, database } = await this.#session.server()
    const known = this.#statements.get(isMariaDb)
    if (known !== undefined) return known
    // A connection may have another database by now, with a table of the same name.
    const table = quotedTable({ ...this.#table, database: this.#table.database ?? database })
    const { lockTimeout, onlyWhere } = this.#options
    const made = statementsOn(table, { isMariaDb, lockTimeout, onlyWhere })
    this.#statements.set(isMariaDb, made)
    return made
  }
}

type Kind = 'read' | 'readFacts'

type StatementOf = (statements: Statements) => { text: string, values: Array<string | null> }

// A version that no write can have made matches nothing, and need not be sent. Undefined: any version matches.
function versionsOf (expectation: Extract<Expectation, { kind: 'version' | 'exists' }>): string[] | undefined {
  if (expectation.kind === 'exists') return undefined
  const versions = possibleVersions(expectation.versions)
  return versions.length === 0 ? versions : padded(versions)
}

/** The entity of a row: no value was asked for, or it comes as text. */
function storedOf<T> ([, json, version, replaced, digest]: Row): Stored<T> {
  const facts = { version: version!, replaced: replaced ?? undefined, digest: digest ?? undefined }
  if (json === null) return withoutValue<T>(facts)
  return storedText<T>(json!, facts, 'MySQL: a stored value is not JSON. Look for who else writes to the table.')
}
