import {
  InvalidAdapterError,
  InvalidOptionsError,
  isIfMatchError,
  OutcomeUnknownError,
  StorageUnavailableError
} from '../../errors.js'
import type { Expectation, ReadOptions, StorageAdapter, Stored } from '../adapter.js'
import { driverErrorOf } from './driver-error.js'
import { provenApplied } from '../kit/lost-answer.js'
import { throwIfStopped } from '../kit/stop.js'
import { newVersion } from '../kit/version.js'
import { within } from '../kit/deadline.js'
import { writeThenRead } from '../kit/write-then-read.js'

export { sqliteFault, sqlStateFault } from './faults.js'

const LONGEST_PROOF = 2000

/** How many rows a statement changed, 0 or 1. The update counts one that was there, whatever it held before. */
export type RowCount = number | Promise<number>

/** How keys and values become rows. */
export interface Mapping<T, Columns extends object, Id = string> {
  /**
   * One row has exactly one key.
   * @throws FST_IF_MATCH_INVALID_KEY for what is no key of this table
   */
  toId (key: string): Id
  /** @throws FST_IF_MATCH_INVALID_VALUE for what the columns would change, drop or refuse */
  toColumns (value: T): Columns
  toValue (columns: Columns): T
}

/** The columns that a write brings along, whoever the table belongs to. */
export interface Provenance { version: string, digest: string | null }

/** A row as `read` finds it. */
export type Row<Columns extends object> = Columns & Provenance & { replaced: string | null }

/** Four statements and a mapping: all in which one table or client differs from another. */
export interface StatementsAdapterOptions<T, Columns extends object, Client, Id = string> extends Mapping<
  T,
  Columns,
  Id
> {
  /** What the statements run on, unless the handler brings another: `request.entity(key, { client })`, inside a transaction. */
  client: Client
  /** Reads the row, as it is now and in one statement; nothing if there is none. */
  read(client: Client, id: Id): Row<Columns> | null | undefined | Promise<Row<Columns> | null | undefined>
  /** Changes the row if its version is one of `versions` (undefined: whatever it is), and keeps the version it had in `replaced`. */
  update(client: Client, id: Id, row: Columns & Provenance, versions: readonly string[] | undefined): RowCount
  /** Inserts the row, without `replaced`; where there is one of this id it does nothing, and is no error. */
  insert(client: Client, id: Id, row: Columns & Provenance): RowCount
  /** Deletes the row if its version is one of `versions` (undefined: whatever it is). */
  remove(client: Client, id: Id, versions: readonly string[] | undefined): RowCount
  /**
   * What an error of the driver means for a write; `sqlStateFault` and `sqliteFault` know it for PostgreSQL and SQLite.
   * Undefined, or without this function: the answer may be lost, which is FST_IF_MATCH_OUTCOME_UNKNOWN unless the row
   * proves that the write was applied.
   */
  faultOf?(error: unknown): Error | undefined
}

/**
 * An adapter over a table of your own, or the model of an ORM: you bring four statements, each atomic by itself. From here
 * come the loop around them (write, then look), versions, the signal, and errors that never promise too much.
 *
 * @example
 * statementsAdapter({ ...offers, client: db, read, update, insert, remove, faultOf: sqlStateFault })
 */
export function statementsAdapter<T, Columns extends object, Client, Id = string> (
  options: StatementsAdapterOptions<T, Columns, Client, Id>
): StorageAdapter<T> {
  const { toId, toColumns, toValue, read, update, insert, remove, faultOf } = options
  for (const [name, part] of Object.entries({ toId, toColumns, toValue, read, update, insert, remove })) {
    if (typeof part !== 'function') throw new InvalidOptionsError('statementsAdapter', `"${name}" must be a function.`)
  }

  // Another name for `client` would put the write outside of the transaction that it was meant for.
  function clientOf (context: unknown): Client {
    if (context === undefined) return options.client
    const { client } = Object(context) as { client?: Client }
    if (client === undefined) {
      throw new InvalidAdapterError(
        'got a context without a client. Pass a transaction as request.entity(key, { client }).'
      )
    }
    return client
  }

  async function look (client: Client, id: Id): Promise<Stored<T> | undefined> {
    try {
      const row = (await read(client, id)) ?? undefined
      return (
        row && {
          value: toValue(row),
          version: row.version,
          replaced: row.replaced ?? undefined,
          digest: row.digest ?? undefined
        }
      )
    } catch (error) {
      throw isIfMatchError(error) ? error : new StorageUnavailableError({ cause: driverErrorOf(error) })
    }
  }

  // Whether it changed its row. `prove` ends well if the row shows that it did although it failed.
  async function applies (
    statement: () => RowCount,
    sent: ReadOptions | undefined,
    prove?: (cause: unknown) => Promise<unknown>
  ): Promise<boolean> {
    throwIfStopped(sent)
    let count: number
    try {
      count = await statement()
    } catch (error) {
      const cause = driverErrorOf(error)
      const fault = isIfMatchError(error) ? error : faultOf?.(cause)
      if (fault !== undefined) throw fault
      // What is read inside a transaction says nothing about its end.
      if (prove === undefined || sent?.context !== undefined) throw new OutcomeUnknownError({ cause })
      await prove(cause)
      return true
    }
    if (count === 0 || count === 1) return count === 1
    throw new OutcomeUnknownError({
      cause: new InvalidAdapterError(
        'counted rows in a way that tells nothing: a statement gives how many it changed, 0 or 1.'
      )
    })
  }

  return {
    async read (key, sent) {
      const id = toId(key)
      const client = clientOf(sent?.context)
      throwIfStopped(sent)
      return await look(client, id)
    },

    async write (key, value, expectation, sent) {
      const id = toId(key)
      const client = clientOf(sent?.context)
      const version = newVersion()
      const row = { ...toColumns(value), version, digest: sent?.digest ?? null }
      const { kind } = expectation
      const lookNow = async () => await look(client, id)
      const proofOf = (of: 'exists' | 'absent') => async (cause: unknown) =>
        await provenApplied(
          version,
          { kind: of },
          async () => await within(LONGEST_PROOF, lookNow(), () => new StorageUnavailableError()),
          cause
        )
      return await writeThenRead(
        expectation,
        async () => {
          // Copies, because an ORM may add to what it is given.
          if (
            kind !== 'absent' &&
            (await applies(() => update(client, id, { ...row }, versionsOf(expectation)), sent, proofOf('exists')))
          ) { return { applied: true as const, version, created: false } }
          if (
            (kind === 'absent' || kind === 'any') &&
            (await applies(() => insert(client, id, { ...row }), sent, proofOf('absent')))
          ) { return { applied: true as const, version, created: true } }
          return undefined
        },
        lookNow
      )
    },

    async remove (key, expectation, sent) {
      const id = toId(key)
      const client = clientOf(sent?.context)
      return await writeThenRead(
        expectation,
        async () =>
          (await applies(() => remove(client, id, versionsOf(expectation)), sent))
            ? { applied: true as const }
            : undefined,
        async () => await look(client, id)
      )
    }
  }
}

function versionsOf (expectation: Expectation): readonly string[] | undefined {
  return expectation.kind === 'version' ? expectation.versions : undefined
}
