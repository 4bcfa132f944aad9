import { OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import type { ReadOptions, RemoveExpectation, Stored } from '../adapter.js'
import { Batcher } from '../kit/batcher.js'
import type { Applied, EntityTable, Listed, Removed, Write } from '../kit/entity-table.js'
import { inTime, type InTime } from '../kit/in-time.js'
import { KeyTurns } from '../kit/key-turns.js'
import { provenApplied } from '../kit/lost-answer.js'
import { throwIfStopped } from '../kit/stop.js'
import { possibleVersions } from '../kit/version.js'
import { explain, faultKind, readError, writeError } from './faults.js'
import { readManyOf, type Read } from './read-many.js'
import type { PostgresSession } from './session.js'
import {
  batchStatement,
  MAX_BATCH_WAIT,
  statementsOn,
  type QuotedTable,
  type Statement,
  type Statements
} from './sql.js'
import { PostgresTable, storedOf, type Row } from './table.js'

// Two statements of 32 items in flight beat one of 64 (engine-facts#postgres-batch-statement).
const BATCH_SIZE = 32
const IN_FLIGHT = 2

/** A write of a longer value goes alone: it would hold up the others of its batch, and gains nothing from them. */
const MAX_BATCHED_LENGTH = 64 * 1024

/**
 * The outcome of one item of a batch.
 *
 * - `answered`: the result, from the statement of the batch
 * - `alone`: certainly not carried out; the item must go alone
 * - `lost`: the statement may have been carried out, and nothing is sent again
 */
type Outcome<R> =
  | { kind: 'answered', result: R }
  | { kind: 'alone' }
  | { kind: 'lost', error: unknown }

type Settled<R> = PromiseSettledResult<Outcome<R>>

const ALONE = { status: 'fulfilled', value: { kind: 'alone' } } as const

/**
 * The table as most requests use it. Reads that arrive together share a statement, and so do writes of different keys.
 * A write whose batch failed goes alone, and so does one that must be tried again. Of each key one change goes alone at
 * a time.
 */
export class BatchedTable<T> implements EntityTable<T> {
  readonly #session: PostgresSession
  readonly #table: PostgresTable<T>
  readonly #batchStatement: Statement
  readonly #statements: Statements
  readonly #timeout: number
  readonly #turns = new KeyTurns()
  readonly #writes: Batcher<Write, Outcome<Applied>>
  readonly #reads: Batcher<Read & InTime, Stored<T> | undefined>

  constructor (session: PostgresSession, table: QuotedTable, bounds: { timeout: number, lockTimeout: number }) {
    const statements = statementsOn(table, bounds.lockTimeout)
    this.#session = session
    this.#table = new PostgresTable(session, statements, false)
    this.#batchStatement = batchStatement(table, bounds.lockTimeout, BATCH_SIZE)
    this.#statements = statements
    this.#timeout = bounds.timeout
    // A batch that waits for a locked row holds up later batches for a moment only.
    const common = { size: BATCH_SIZE, inFlight: IN_FLIGHT, inFlightTimeout: MAX_BATCH_WAIT }
    this.#writes = new Batcher({
      ...common,
      keyOf: ({ key }) => key,
      run: (writes) => this.#writeTogether(writes),
      // The single statement costs less (engine-facts#postgres-batch-of-one).
      runAlone: async (write) => this.#goesAlone(write) ? ALONE.value : answer(await this.#writeAlone(write))
    })
    this.#reads = new Batcher({
      ...common,
      ...inTime<Read & InTime, Stored<T> | undefined>('PostgreSQL', {
        run: (reads) => this.#readTogether(reads),
        runAlone: ({ key, options }) => this.#table.read(key, options)
      })
    })
  }

  read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined> {
    throwIfStopped(options)
    return this.#reads.add({ key, options, deadline: performance.now() + this.#timeout })
  }

  /** Most writes have no rival, so the first attempt goes in a batch, and later ones alone. */
  async write (write: Write, attempt: number): Promise<Applied> {
    const isBatched = attempt === 1 && write.json.length <= MAX_BATCHED_LENGTH && !this.#turns.has(write.key)
    if (!isBatched) return await this.#writeAlone(write)
    throwIfStopped(write.options)
    const outcome = await this.#writes.add(write)
    switch (outcome.kind) {
      case 'answered':
        // Nobody waits for the read that would follow.
        if (outcome.result === undefined) throwIfStopped(write.options)
        return outcome.result
      case 'alone': return await this.#writeAlone(write)
      case 'lost': return await this.#prove(write, explain(outcome.error))
    }
  }

  async remove (key: string, expectation: RemoveExpectation, options?: ReadOptions): Promise<Removed> {
    return await this.#inTurn(key, () => this.#table.remove(key, expectation, options))
  }

  async list (prefix: string, after: string, limit: number, options?: ReadOptions): Promise<Array<Listed<T>>> {
    return await this.#table.list(prefix, after, limit, options)
  }

  #writeAlone (write: Write): Promise<Applied> {
    return this.#inTurn(write.key, async () => {
      try {
        return await this.#table.write(write)
      } catch (error) {
        if (error instanceof OutcomeUnknownError) return await this.#prove(write, error.cause)
        throw error
      }
    })
  }

  async #prove ({ key, version, expectation }: Write, cause: unknown): Promise<Applied> {
    return await provenApplied(version, expectation, () => this.read(key), cause)
  }

  #inTurn<R> (key: string, change: () => Promise<R>): Promise<R> {
    return this.#turns.take(key, this.#timeout, change, () => new StorageUnavailableError({
      cause: new Error(
        'PostgreSQL: earlier changes of the key took too long. Look for a transaction that somebody left open.'
      )
    }))
  }

  // A key whose change goes alone may wait for a locked row, and would hold up the others.
  #goesAlone ({ key, options }: Write): boolean {
    return this.#turns.has(key) || isStopped(options)
  }

  /** Gives one outcome for each write; no key is twice among them. */
  async #writeTogether (writes: readonly Write[]): Promise<Array<Settled<Applied>>> {
    const together = writes.filter((write) => !this.#goesAlone(write))
    // What is left alone costs less as the single statement.
    const outcomes = together.length < 2 ? [] : await this.#sendBatch(together)
    const outcomeOf = new Map(together.map((write, index) => [write, outcomes[index]!]))
    return writes.map((write) => outcomeOf.get(write) ?? ALONE)
  }

  async #sendBatch (writes: readonly Write[]): Promise<Array<Settled<Applied>>> {
    try {
      const parameters = parametersOf(writes)
      const rows = await this.#session.query<{ key: string, created: boolean }>(this.#batchStatement, parameters)
      // The array may be among the old objects, where it would keep its texts (engine-facts#any-engine-old-array).
      parameters.length = 0
      const createdOf = new Map(rows.map(({ key, created }) => [key, created]))
      return writes.map(({ key, version }) => {
        const created = createdOf.get(key)
        return answered(created === undefined ? undefined : { applied: true, version, created })
      })
    } catch (error) {
      return writes.map(() => outcomeOfFailure(error))
    }
  }

  /** Gives one outcome for each read. */
  async #readTogether (reads: readonly Read[]): Promise<Array<PromiseSettledResult<Stored<T> | undefined>>> {
    try {
      const rows = await this.#session.query<Row & { key: string }>(...readManyOf(reads, this.#statements))
      const rowOf = new Map(rows.map((row) => [row.key, row]))
      return reads.map(({ key, options }) => {
        const row = rowOf.get(key)
        return { status: 'fulfilled', value: row && storedOf<T>(row, options) }
      })
    } catch (error) {
      if (faultKind(error) !== 'RETRY') return reads.map(() => ({ status: 'rejected', reason: readError(error, 1) }))
      return await Promise.allSettled(reads.map(({ key, options }) => this.#table.read(key, options)))
    }
  }
}

function answer<R> (result: R): Outcome<R> {
  return { kind: 'answered', result }
}

function answered<R> (result: R): Settled<R> {
  return { status: 'fulfilled', value: answer(result) }
}

// A batch that was rolled back goes one by one, so that a bad row fails alone (engine-facts#any-engine-batch-poison).
function outcomeOfFailure (error: unknown): Settled<never> {
  switch (faultKind(error)) {
    case 'RETRY':
    case 'LOCKED':
    case 'CANCELLED':
    case 'CONSTRAINT':
    case 'ROW':
    case 'MISTAKE': // row-level security refuses one row, as a missing right refuses all
      return ALONE
    case 'UNKNOWN':
      return { status: 'fulfilled', value: { kind: 'lost', error } }
    case 'NOT_APPLIED':
    case 'BUG':
      return { status: 'rejected', reason: writeError(error, 1, false) }
  }
}

function isStopped (options: ReadOptions | undefined): boolean {
  try {
    throwIfStopped(options)
    return false
  } catch {
    return true
  }
}

function parametersOf (writes: readonly Write[]): Array<string | null> {
  const none = new Array<null>(BATCH_SIZE - writes.length).fill(null)
  return [JSON.stringify(writes.map(itemOf)), ...writes.map(({ json }) => json), ...none]
}

function itemOf ({ key, version, expectation, options }: Write) {
  return {
    key,
    version,
    digest: options?.digest,
    kind: expectation.kind,
    versions: expectation.kind === 'version' ? possibleVersions(expectation.versions) : undefined
  }
}
