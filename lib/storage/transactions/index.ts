import { InvalidAdapterError, InvalidOptionsError, StorageUnavailableError } from '../../errors.js'
import type {
  Expectation,
  RemoveExpectation,
  Stored,
  TransactionAdapter,
  TransactionResult,
  Work,
  WriteOptions
} from '../adapter.js'
import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import { copyJson, copyRead } from '../kit/json.js'
import { checkKey } from '../kit/key.js'
import { KeyTurns } from '../kit/key-turns.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'
import { letOut, mapped } from '../statements/app-functions.js'
import type { RowVersion } from '../statements/answer.js'
import { engineFault, readFault } from '../statements/faults.js'
import { driverOf, flawsOfClient, isHandle, ownClientOf } from '../statements/own-client.js'
import { sent } from '../statements/sent.js'
import { Creations } from './creations.js'
import { factsOf, type LastWrite, type Row } from './last-write.js'
import { runAgain } from './run-again.js'
import { stepsInside } from './steps-inside.js'

export { mysqlTransaction } from './mysql.js'
export { pgTransaction } from './pg.js'
export { sqliteTransaction } from './sqlite.js'
export { wholeTransaction } from './whole.js'
export type { RowVersion } from '../statements/answer.js'
export type { KeptWrite, LastWrite, Row } from './last-write.js'

/** How long an operation waits for its turn where works and reads take turns, in milliseconds. */
const TURN_TIMEOUT = 10_000

// Of each client that is one connection: several adapters may be over one, each with a table of its own.
const turnsOf = new WeakMap<object, KeyTurns>()

/** What the adapter of one kind of entity needs to know of the app's database. */
export interface TransactionsAdapterOptions<T, Client, Tx, Id = string> {
  /** What reads outside of a transaction are sent with: a pool, a handle, the root object of an ORM. */
  client: Client
  /**
   * Begins a transaction, runs `work(tx)`, and commits. If the work rejects, it rolls back and rejects. ORMs have this
   * function; `pgTransaction`, `mysqlTransaction` and `sqliteTransaction` make one. The isolation level is up to it.
   */
  transaction (work: (tx: Tx) => Promise<unknown>): Promise<unknown>
  /**
   * The id of the row of a key, such as `keyPattern('/orders/:id').parse`. Two keys must never have the same row.
   * @throws FST_IF_MATCH_INVALID_KEY for a key that this table cannot have
   */
  toId (key: string): Id
  /**
   * Locks the row of the entity until the transaction ends, and gives its version: `SELECT … FOR UPDATE`. On SQLite,
   * where `BEGIN IMMEDIATE` locks the file, a SELECT is enough. Null or undefined: there is no entity. Called once more
   * after the work.
   */
  version (tx: Tx, id: Id): RowVersion | null | undefined | Promise<RowVersion | null | undefined>
  /**
   * Reads the entity; null or undefined: there is none. It reads all in one statement or snapshot, as the contract has
   * it. Where that cannot be, it reads the version first, at the price of a needless 412 now and then: a version that
   * is read after the value may be that of a newer one, which a write under it would lose.
   */
  read (client: Client | Tx, id: Id): Row<T> | null | undefined | Promise<Row<T> | null | undefined>
  /**
   * Writes the rows of a value, for `replace`, `update` and `create`. Optional: without it the entity is written by
   * `transaction` alone.
   *
   * @param isNew whether there is no entity yet. Then it must INSERT, and leave an error of the unique key to the
   *   adapter: nothing locks a row that is not there, so an upsert would overwrite what another one created meanwhile.
   *   The same holds for the work of a `transaction`
   */
  save?(tx: Tx, id: Id, value: T, isNew: boolean): unknown
  /** Removes the rows of the entity, for `remove`. Optional. */
  remove?(tx: Tx, id: Id): unknown
  /**
   * Keeps what is known of a write, for `read` to give back as `lastWrite`. Optional: without it the adapter keeps
   * neither `replaced` nor `digest`, and a request that a client sends again after a lost answer is refused.
   *
   * Called inside of every transaction that left an entity, when the work is done and the version has moved: for
   * `transaction`, `replace`, `update` and `create`. What was kept before may be overwritten. Keep it in a table of its
   * own, or in columns whose change does not move the version: where it moves, the version of the answer is the one
   * behind it, and what was kept holds for none.
   */
  saveLastWrite?(tx: Tx, id: Id, write: LastWrite): unknown
  /**
   * Whether works and reads take turns, because they all go over one connection: a statement of somebody else would
   * become part of the transaction that is open there. Default: whether `client` is a handle of SQLite. Pass `true` for
   * an ORM with one connection, and `false` where transactions have a handle of their own.
   */
  serial?: boolean | undefined
  /**
   * The error to answer with for an error of the driver, where the engine tells that it did nothing. Optional: errors
   * of PostgreSQL, MySQL, MariaDB and SQLite are known.
   */
  faultOf?(error: unknown): Error | undefined
}

/**
 * An adapter over the app's own tables and its own transactions, with any ORM. Each write is a transaction: it locks
 * the row that has the version, compares, does the work, demands that the version has moved, and commits.
 *
 * A deadlock, a serialization failure, and a unique key that a creation meets run the work again, in a new transaction:
 * 16 times at most, and for 5 seconds; a creation that meets a unique key, 4 times at most.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS if the client or a function is missing, or an option is unknown
 * @example
 * transactionsAdapter({
 *   client: db,
 *   transaction: (work) => db.transaction(work),
 *   toId: keyPattern('/orders/:id', { id: wholeNumber }).parse,
 *   version: async (tx, { id }) =>
 *     (await tx.select().from(orders).where(eq(orders.id, id)).for('update'))[0]?.rowVersion,
 *   read: async (client, { id }) => {
 *     const order = await client.query.orders.findFirst({ where: eq(orders.id, id), with: { lines: true } })
 *     return order && { version: order.rowVersion, value: order }
 *   }
 * })
 */
export function transactionsAdapter<T, Client, Tx, Id = string> (
  options: TransactionsAdapterOptions<T, Client, Tx, Id>
): TransactionAdapter<T> {
  const {
    client: ownClient, transaction, toId, version, read, save, remove, saveLastWrite, faultOf,
    serial = isHandle(ownClient)
  } = Object(options) as TransactionsAdapterOptions<T, Client, Tx, Id>
  const required = { transaction, toId, version, read }
  const optional = { save, remove, saveLastWrite, faultOf }
  assertNoFlaw('transactionsAdapter', [
    [ownClient === undefined || ownClient === null, '"client" must be the client that reads are sent with.'],
    [ownClient instanceof Promise, '"client" is a promise. Await it before you pass it.'],
    ...Object.entries(required).map(([name, part]) =>
      [typeof part !== 'function', `"${name}" must be a function.`] as const),
    ...Object.entries(optional).map(([name, part]) =>
      [part !== undefined && typeof part !== 'function', `"${name}" must be a function, if there is one.`] as const),
    [typeof serial !== 'boolean', '"serial" must be true or false.'],
    unknownOption(options, { client: ownClient, ...required, ...optional, serial })
  ])

  const creations = new Creations()
  const withOwnClient = ownClientOf(ownClient)
  function faultOfEngine (error: unknown): Error | undefined {
    const fault = faultOf?.(error)
    return fault === undefined || fault === error ? engineFault(error) : letOut(fault, error)
  }
  function idOf (key: string): Id {
    checkKey(key)
    return mapped('toId', () => toId(key))
  }
  const turns = serial ? turnsOver(driverOf(ownClient)) : undefined

  function inTurn<R> (operation: () => Promise<R>): Promise<R> {
    if (turns === undefined) return operation()
    return turns.take('', TURN_TIMEOUT, operation, () => new StorageUnavailableError({
      cause: new Error(`The connection was busy with other transactions for ${TURN_TIMEOUT / 1000} seconds.`)
    }))
  }

  async function readWith (client: Client | Tx, id: Id): Promise<Stored<T> | undefined> {
    const row = await read(client, id)
    if (row === undefined || row === null) return undefined
    if (typeof row !== 'object' || !('value' in row)) {
      throw storageFault(FAULT.read, new InvalidAdapterError('got no { version, value } from "read".'))
    }
    return { value: copyRead(row.value, 'what "read" gave'), ...factsOf(row) }
  }

  const steps = stepsInside<T, Tx, Id>({ version, read: readWith, saveLastWrite, faultOf: faultOfEngine })

  async function run<R> (
    key: string,
    expectation: Expectation,
    work: Work<T, R, Tx>,
    options: WriteOptions | undefined
  ): Promise<TransactionResult<T, R>> {
    const id = idOf(key)
    const tx = txOf<Tx>(options?.context)
    if (tx !== undefined) return await steps(tx, id, expectation, work, options)
    const inside = (tx: Tx) => steps(tx, id, expectation, (tx, locked) =>
      locked.version === undefined ? creations.during(tx, key, () => work(tx, locked)) : work(tx, locked), options)
    return await runAgain((run) => inTurn(() => transaction(run)), inside, faultOfEngine, options)
  }

  return {
    async read (key, options) {
      const id = idOf(key)
      const tx = txOf<Tx>(options?.context)
      if (tx !== undefined) return await sent(() => readWith(tx, id), options, readFault)
      return await inTurn(() => sent(() => withOwnClient((client) => readWith(client, id)), options, readFault))
    },

    transaction: run,

    async write (key, value, expectation, options) {
      if (save === undefined) throw notThere('save', 'replace(), update() and create()')
      const id = idOf(key)
      const copy = copyJson(value)
      const result = await run(key, expectation, async (tx, locked) => {
        const isNew = locked.version === undefined || creations.includes(tx, key)
        await save(tx, id, copyJson(copy), isNew)
        creations.delete(tx, key)
      }, options)
      if (!result.applied) return result
      const { version, created } = result
      if (version === undefined) {
        throw storageFault(FAULT.write, new InvalidAdapterError('found no version after "save".'))
      }
      return { applied: true, version, created }
    },

    async remove (key, expectation: RemoveExpectation, options) {
      if (remove === undefined) throw notThere('remove', 'remove()')
      const id = idOf(key)
      const result = await run(key, expectation, async (tx) => { await remove(tx, id) }, options)
      if (!result.applied) return result
      if (result.version !== undefined) {
        throw storageFault(FAULT.write, new InvalidAdapterError('still finds a version after "remove".'))
      }
      return { applied: true }
    }
  }
}

function turnsOver (client: unknown): KeyTurns {
  const turns = turnsOf.get(client as object) ?? new KeyTurns()
  turnsOf.set(client as object, turns)
  return turns
}

/** The client of a context, which is inside a transaction; undefined without a context. */
function txOf<Tx> (context: unknown): Tx | undefined {
  if (context === undefined) return undefined
  const { client } = Object(context) as { client?: Tx | null }
  assertNoFlaw('the entity', flawsOfClient(client))
  return client!
}

function notThere (part: 'save' | 'remove', operations: string): Error {
  return new InvalidOptionsError(
    'transactionsAdapter',
    `it has no "${part}", which ${operations} of an entity need. Pass one, or use transaction().`
  )
}
