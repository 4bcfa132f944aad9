import { InvalidAdapterError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import type { Expectation, ReadOptions, StorageAdapter, Stored } from '../adapter.js'
import { within } from '../kit/deadline.js'
import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import { copyJson, copyRead } from '../kit/json.js'
import { provenApplied } from '../kit/lost-answer.js'
import { throwIfStopped } from '../kit/stop.js'
import { newVersion } from '../kit/version.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'
import { writeThenRead } from '../kit/write-then-read.js'
import { guardedFaultOf, mapped } from './app-functions.js'
import { readFault } from './faults.js'
import { flawsOfClient, ownClientOf, type OwnClient } from './own-client.js'
import { sent } from './sent.js'

export { mysqlFault, sqliteFault, sqlStateFault } from './faults.js'

// How long the read that looks for a lost write may take, in milliseconds.
const PROOF_TIMEOUT = 2000

/**
 * How many rows a statement changed, 0 or 1. An update counts a row that was there, whatever it held before. The null
 * of pg's `rowCount` passes the type check; as an answer it tells nothing, and is an error.
 */
export type RowCount = number | null | Promise<number | null>

/**
 * How keys and values become rows. What a function of it throws goes out as it is, such as an error of your own with a
 * `statusCode` of 422: nothing was sent yet. A bug, such as a TypeError, is FST_IF_MATCH_STORAGE_FAULT (500).
 */
export interface Mapping<T, Columns extends object, Id = string> {
  /**
   * The id of the row of a key. Two keys must never have the same row.
   * @throws FST_IF_MATCH_INVALID_KEY for a key that this table cannot have
   */
  toId (key: string): Id
  /**
   * The columns of a value, which is a copy, and JSON: a Date, say, was refused with FST_IF_MATCH_NOT_JSON.
   * @throws FST_IF_MATCH_INVALID_VALUE for a value that the columns would change, drop or refuse
   */
  toColumns (value: T): Columns
  /** The value of the columns. It must be JSON, or the read fails: FST_IF_MATCH_NOT_JSON. */
  toValue (columns: Columns): T
}

/** The columns that the adapter fills with every write, beside those of the value. */
export interface Provenance { version: string, digest: string | null }

/** A row as `read` finds it. */
export type Row<Columns extends object> = Columns & Provenance & { replaced: string | null }

/**
 * Four statements and a mapping: all that differs from one table or client to another.
 *
 * A statement function may throw an error of the app with a `statusCode` or `status` of 400 to 499, which says that
 * nothing was changed, and goes out as it is. A bug, such as a TypeError or a forgotten count, is
 * FST_IF_MATCH_STORAGE_FAULT (500).
 */
export interface StatementsAdapterOptions<T, Columns extends object, Client, Id = string>
  extends Mapping<T, Columns, Id> {
  /**
   * The client that the statements run on. A handler may bring another one, which is inside a transaction:
   * `request.entity(key, { client })`.
   */
  client: Client
  /** Reads the current row, in one statement; null or undefined if there is none. */
  read(client: Client, id: Id): Row<Columns> | null | undefined | Promise<Row<Columns> | null | undefined>
  /**
   * Changes the row if its version is one of `versions`, and sets `replaced` to the version that it had. `versions`
   * undefined: whatever its version is.
   */
  update(client: Client, id: Id, row: Columns & Provenance, versions: readonly string[] | undefined): RowCount
  /** Inserts the row, with `replaced` null. If the id has a row already, it does nothing, without an error. */
  insert(client: Client, id: Id, row: Columns & Provenance): RowCount
  /** Deletes the row if its version is one of `versions`. `versions` undefined: whatever its version is. */
  remove(client: Client, id: Id, versions: readonly string[] | undefined): RowCount
  /**
   * The error to answer with for an error of the driver that says that nothing was changed, when a statement failed
   * that changes rows: `sqlStateFault` for PostgreSQL, `sqliteFault` for SQLite, `mysqlFault` for MySQL and MariaDB, or
   * your own, such as a 409 for a constraint. It goes out as it is, but for FST_IF_MATCH_CONTENTION outside a
   * transaction: then the statement is sent again, 16 times at most. If it gives undefined, or is not there, the answer
   * may be lost, unless the error tells of a mistake or of a constraint of one of these engines: that is
   * FST_IF_MATCH_OUTCOME_UNKNOWN, or the row proves that the write was applied.
   */
  faultOf?(error: unknown): Error | undefined
}

/**
 * An adapter over a table of your own, or over a model of an ORM. You bring four statements, each atomic by itself, and
 * a mapping. The adapter adds the loop around them (write, then read), versions, the signal, and the errors of the
 * contract.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS if the client or a function is missing, or an option is unknown
 * @example
 * statementsAdapter({ ...offers, client: db, read, update, insert, remove, faultOf: sqlStateFault })
 */
export function statementsAdapter<T, Columns extends object, Client, Id = string> (
  parts: StatementsAdapterOptions<T, Columns, Client, Id>
): StorageAdapter<T> {
  const { client: ownClient, toId, toColumns, toValue, read, update, insert, remove, faultOf } =
    Object(parts) as StatementsAdapterOptions<T, Columns, Client, Id>
  const required = { toId, toColumns, toValue, read, update, insert, remove }
  assertNoFlaw('statementsAdapter', [
    [ownClient === undefined || ownClient === null, '"client" must be the client that the statements run on.'],
    [ownClient instanceof Promise, '"client" is a promise. Await it before you pass it.'],
    ...Object.entries(required).map(([name, part]) =>
      [typeof part !== 'function', `"${name}" must be a function.`] as const),
    [faultOf !== undefined && typeof faultOf !== 'function', '"faultOf" must be a function, if there is one.'],
    unknownOption(parts, { client: ownClient, ...required, faultOf })
  ])

  const withOwnClient = ownClientOf(ownClient)

  // A context without `client`, for example by a typing error, would put the write outside of the transaction.
  function clientOf (context: unknown): OwnClient<Client> {
    if (context === undefined) return withOwnClient
    const { client } = Object(context) as { client?: Client | null }
    assertNoFlaw('the entity', flawsOfClient(client))
    return async (statement) => await statement(client!)
  }

  const writeFault = guardedFaultOf(parts.faultOf)
  const idOf = (key: string): Id => mapped('toId', () => toId(key))

  async function readStored (client: OwnClient<Client>, id: Id, options?: ReadOptions): Promise<Stored<T> | undefined> {
    const row = await sent(() => client((client) => read(client, id)), options, readFault)
    if (row === undefined || row === null) return undefined
    const { version, replaced, digest } = row
    const value = copyRead(mapped('toValue', () => toValue(row)), 'what toValue made')
    return { value, version, replaced: replaced ?? undefined, digest: digest ?? undefined }
  }

  // Whether a statement changed its row. `prove` resolves if the row shows that a statement that failed did so all the
  // same.
  async function hasChanged (
    statement: () => RowCount,
    options: ReadOptions | undefined,
    prove?: (cause: unknown) => Promise<unknown>
  ): Promise<boolean> {
    const count = await sent<Awaited<RowCount>>(statement, options, writeFault, async (cause) => {
      // A read inside a transaction says nothing about how the transaction ends.
      if (prove === undefined || options?.context !== undefined) throw new OutcomeUnknownError({ cause })
      await prove(cause)
      return 1
    })
    if (count === 0 || count === 1) return count === 1
    throw storageFault(FAULT.write, new InvalidAdapterError(
      'counted rows in a way that tells nothing: a statement gives how many it changed, 0 or 1.'
    ))
  }

  return {
    async read (key, options) {
      const id = idOf(key)
      const client = clientOf(options?.context)
      return await readStored(client, id, options)
    },

    async write (key, value, expectation, options) {
      const id = idOf(key)
      const client = clientOf(options?.context)
      const version = newVersion()
      const columns = mapped('toColumns', () => toColumns(copyJson(value)))
      const row = { ...columns, version, digest: options?.digest ?? null }
      const { kind } = expectation
      const readCurrent = async () => await readStored(client, id, withinContext(options))
      const readForProof = async () =>
        await within(PROOF_TIMEOUT, readCurrent(), () => new StorageUnavailableError())
      const proveAfter = (kind: 'exists' | 'absent') => async (cause: unknown) =>
        await provenApplied(version, { kind }, readForProof, cause)

      // A statement gets a copy of the row, because an ORM may add to it.
      async function write () {
        if (canNeverHold(expectation, options)) return undefined
        if (kind !== 'absent') {
          const statement = () => client((client) => update(client, id, { ...row }, versionsOf(expectation)))
          const isApplied = await hasChanged(statement, options, proveAfter('exists'))
          if (isApplied) return { applied: true as const, version, created: false }
        }
        if (kind === 'absent' || kind === 'any') {
          const statement = () => client((client) => insert(client, id, { ...row }))
          const isApplied = await hasChanged(statement, options, proveAfter('absent'))
          if (isApplied) return { applied: true as const, version, created: true }
        }
        return undefined
      }

      return await writeThenRead(expectation, write, readCurrent)
    },

    async remove (key, expectation, options) {
      const id = idOf(key)
      const client = clientOf(options?.context)
      const statement = () => client((client) => remove(client, id, versionsOf(expectation)))
      return await writeThenRead(
        expectation,
        async () => {
          if (canNeverHold(expectation, options)) return undefined
          return await hasChanged(statement, options) ? { applied: true as const } : undefined
        },
        async () => await readStored(client, id, withinContext(options))
      )
    }
  }
}

function versionsOf (expectation: Expectation): readonly string[] | undefined {
  return expectation.kind === 'version' ? expectation.versions : undefined
}

// An empty list never holds, and no statement is sent for it: `IN ()` is an error (engine-facts#any-orm-empty-in-list).
function canNeverHold (expectation: Expectation, options: ReadOptions | undefined): boolean {
  throwIfStopped(options)
  return expectation.kind === 'version' && expectation.versions.length === 0
}

// What is read behind a write is read also if nobody waits for it any more.
function withinContext (options: ReadOptions | undefined): ReadOptions {
  return { context: options?.context }
}
