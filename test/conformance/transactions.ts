import { setImmediate as turn } from 'node:timers/promises'
import type {
  Expectation, Locked, ReadOptions, StorageAdapter, Stored, TransactionResult, Work, WriteOptions
} from '../../lib/storage/adapter.js'
import {
  ContentionError, InvalidOptionsError, OutcomeUnknownError, StorageUnavailableError, VersionUnchangedError
} from '../../lib/errors.js'
import { satisfies } from '../../lib/storage/kit/expectation.js'
import { checkKey } from '../../lib/storage/kit/key.js'
import { throwIfStopped } from '../../lib/storage/kit/stop.js'
import { copyRow, engineAdapter, engineSubject, type Engine, type Parts, type Rows } from './engine.js'

/**
 * How the transactions of a store keep out of each other's way.
 *
 * - `locks`: each locks the keys that it reads for a change, or writes, as in PostgreSQL and MySQL
 * - `turns`: one after the other, and everything else waits for the end of each, as on one handle of SQLite
 * - `checks`: none waits. One whose entities were changed by others meanwhile runs again
 */
export type Discipline = 'locks' | 'turns' | 'checks'

/** What `tx` is to a work. */
export class Transaction implements Rows {
  readonly changes = new Map<string, Stored | undefined>()
  /** The versions of the entities that it saw first, by key. */
  readonly seen = new Map<string, string | undefined>()
  readonly ended: Promise<void>
  end!: () => void
  isOpen = true
  /** The engine rolled it back, to end a deadlock. */
  isVictim = false
  readonly #committed: Rows
  readonly #outage: number
  readonly #engine: Engine

  constructor (engine: Engine) {
    this.#engine = engine
    this.#committed = engine.rows
    this.#outage = engine.outages
    this.ended = new Promise((resolve) => { this.end = resolve })
  }

  /** Whether its connection was there all the time. */
  get isAlive (): boolean {
    return !this.#engine.isCut && this.#engine.outages === this.#outage
  }

  get (key: string): Stored | undefined {
    const committed = this.#committed.get(key)
    if (!this.seen.has(key)) this.seen.set(key, committed?.version)
    return this.changes.has(key) ? this.changes.get(key) : committed
  }

  has (key: string): boolean {
    return this.get(key) !== undefined
  }

  set (key: string, row: Stored): void {
    this.changes.set(key, row)
  }

  delete (key: string): void {
    this.changes.set(key, undefined)
  }

  keys (): Iterable<string> {
    return [...new Set([...this.#committed.keys(), ...this.changes.keys()])].filter((key) => this.has(key))
  }

  values (): Iterable<Stored> {
    return [...this.keys()].map((key) => this.get(key)!)
  }

  /** Whether nobody else changed what it saw. */
  isCurrent (): boolean {
    return [...this.seen].every(([key, version]) => this.#committed.get(key)?.version === version)
  }
}

/** Who holds which key, for all adapters of an engine. */
export class Locks {
  readonly #owners = new Map<string, Transaction>()
  readonly #waits = new Map<Transaction, string>()

  /** Locks a key until the transaction ends. */
  async take (key: string, tx: Transaction): Promise<void> {
    for (let owner = this.#owners.get(key); owner !== tx && owner?.isOpen === true; owner = this.#owners.get(key)) {
      if (this.#isDeadlock(key, tx)) {
        tx.isVictim = true
        throw new Error('deadlock detected')
      }
      this.#waits.set(tx, key)
      await owner.ended
      this.#waits.delete(tx)
    }
    this.#owners.set(key, tx)
  }

  /** Waits until no transaction holds the key. */
  async free (key: string): Promise<void> {
    for (let owner = this.#owners.get(key); owner?.isOpen === true; owner = this.#owners.get(key)) await owner.ended
  }

  // Whether the owner of the key waits for this transaction, over others if need be.
  #isDeadlock (key: string, tx: Transaction): boolean {
    let owner = this.#owners.get(key)
    while (owner?.isOpen === true && owner !== tx) {
      const wanted = this.#waits.get(owner)
      owner = wanted === undefined ? undefined : this.#owners.get(wanted)
    }
    return owner === tx
  }
}

/** The decisions of an adapter about transactions. A mutant replaces some of them. */
export interface TransactionParts {
  locks: Pick<Locks, 'take' | 'free'>
  satisfies (expectation: Expectation, version: string | undefined): boolean
  /** Whether the adapter may go on with a work that somebody waits for: before it locks, before the work, after it. */
  checkWait (options: ReadOptions | undefined, when: 'begin' | 'locked' | 'worked'): void
  /** The transaction of a context, to which an operation belongs. */
  transactionOf (operation: 'read' | 'write' | 'remove' | 'transaction', options: ReadOptions | undefined):
  Transaction | undefined
  /** The entity as the work is given it. */
  locked (tx: Transaction, key: string, readInside: Locked['read']): Locked
  hasChanged (before: string | undefined, after: string | undefined): boolean
  /** What a transaction keeps beside the entity that it leaves: it is one write. */
  provenance (before: Stored | undefined, options: WriteOptions | undefined): Pick<Stored, 'replaced' | 'digest'>
  /** Makes the changes of a transaction visible. */
  apply (tx: Transaction, rows: Rows): void | Promise<void>
  /** Drops its changes. */
  drop (tx: Transaction, rows: Rows, key: string): void
  /** Whether a transaction that the engine could not complete beside others is run again. */
  mayRunAgain (isConflict: boolean, tx: Transaction): boolean
  /** A new transaction, in place of one that is run again. */
  begin (engine: Engine, failed: Transaction | undefined): Transaction
  /** What a failure inside the work is passed on as. */
  errorOf (error: unknown, tx: Transaction): unknown
  refused (current: Stored | undefined): Stored | undefined
  answer<R> (result: TransactionResult<unknown, R>): TransactionResult<unknown, R>
  /** Called when an answer to COMMIT was lost, and when COMMIT could not be sent. */
  lostCommit (wasSent: boolean, tx: Transaction, engine: Engine): Error | undefined
  /** The adapter as its callers see it. */
  wrap (adapter: StorageAdapter, engine: Engine): StorageAdapter
}

/** Gives the parts that a mutant replaces, once for each adapter. */
export type TransactionFlaw = (sound: TransactionParts, engine: Engine) => Partial<TransactionParts>

const sound: Omit<TransactionParts, 'locks'> = {
  satisfies,
  checkWait: throwIfStopped,
  transactionOf (_operation, options) {
    if (options?.context === undefined) return undefined
    const { client } = Object(options.context) as { client?: unknown }
    if (client instanceof Transaction && client.isOpen) return client
    throw new InvalidOptionsError('the entity', 'its context has no transaction.')
  },
  locked: (tx, key, read) => ({ version: tx.get(key)?.version, read }),
  hasChanged: (before, after) => before !== after,
  provenance: (before, options) => ({ replaced: before?.version, digest: options?.digest }),
  apply (tx, rows) {
    for (const [key, row] of tx.changes) row === undefined ? rows.delete(key) : rows.set(key, row)
  },
  drop: () => {},
  mayRunAgain: (isConflict) => isConflict,
  begin: (engine) => new Transaction(engine),
  errorOf: (error) => error,
  refused: (current) => current && copyRow(current),
  answer: (result) => result,
  lostCommit: (wasSent) => wasSent ? new OutcomeUnknownError() : new StorageUnavailableError(),
  wrap: (adapter) => adapter
}

const locksOf = new WeakMap<Engine, Locks>()

/** A store with transactions in this process, and adapters on it, which are sound but for the parts of `flaw`. */
export function transactionSubject (discipline: Discipline, flaw: TransactionFlaw = () => ({})) {
  return engineSubject(() => ({
    wrap (adapter, engine, engineParts) {
      if (!locksOf.has(engine)) locksOf.set(engine, new Locks())
      const parts: TransactionParts = { ...sound, locks: locksOf.get(engine)! }
      Object.assign(parts, flaw({ ...parts }, engine))
      return parts.wrap(transactionAdapter(discipline, adapter, engine, engineParts, parts), engine)
    }
  }))
}

// All keys at once, for transactions that take turns. No entity has the empty key.
const ALL = ''

function transactionAdapter (
  discipline: Discipline,
  adapter: StorageAdapter,
  engine: Engine,
  engineParts: Parts,
  parts: TransactionParts
): StorageAdapter {
  const keyOf = (key: string): string => discipline === 'turns' ? ALL : key

  async function take (key: string, tx: Transaction): Promise<void> {
    if (discipline === 'checks') return
    try {
      await parts.locks.take(keyOf(key), tx)
    } catch (cause) {
      throw new ContentionError(1, { cause })
    }
  }

  const isConflict = (tx: Transaction): boolean => tx.isVictim || (discipline === 'checks' && !tx.isCurrent())

  // The adapter inside a transaction: it sees the changes of that one.
  function within (tx: Transaction): StorageAdapter {
    return engineAdapter({
      rows: tx,
      get isCut () { return !tx.isAlive },
      outages: engine.outages,
      onMend: engine.onMend
    }, engineParts)
  }

  const withoutContext = (options: ReadOptions | undefined) => ({ ...options, context: undefined })

  // Locks, compares, and runs the work. A transaction that joins another one is a part of that.
  async function carryOut<R> (
    tx: Transaction,
    key: string,
    expectation: Expectation,
    work: Work<unknown, R>,
    options: WriteOptions | undefined
  ): Promise<TransactionResult<unknown, R>> {
    await take(key, tx)
    await turn()
    if (!tx.isAlive) throw new StorageUnavailableError()
    const before = tx.get(key)
    if (!parts.satisfies(expectation, before?.version)) return { applied: false, current: parts.refused(before) }
    parts.checkWait(options, 'locked')
    const value = await work(tx, parts.locked(tx, key, async () => await outer.read(key, { context: { client: tx } })))
    const left = tx.get(key)
    const version = left?.version
    if (tx.isVictim) throw new ContentionError(1)
    if (tx.isAlive && !parts.hasChanged(before?.version, version)) throw new VersionUnchangedError()
    if (left !== undefined) tx.set(key, { ...left, ...parts.provenance(before, options) })
    return parts.answer({ applied: true, version, created: before === undefined, value })
  }

  // False: others changed what the transaction saw.
  async function commit (tx: Transaction): Promise<boolean> {
    const lost = (wasSent: boolean): void => {
      const error = parts.lostCommit(wasSent, tx, engine)
      if (error !== undefined) throw error
    }
    await turn()
    if (!tx.isAlive) {
      lost(false)
      return true
    }
    if (isConflict(tx)) return false
    await parts.apply(tx, engine.rows)
    close(tx)
    await turn()
    if (!tx.isAlive) lost(true)
    return true
  }

  function close (tx: Transaction): void {
    tx.isOpen = false
    tx.end()
  }

  const outer: StorageAdapter = {
    ...adapter,

    async read (key, options) {
      const tx = parts.transactionOf('read', options)
      if (tx !== undefined) return await within(tx).read(key, withoutContext(options))
      if (discipline === 'turns') await parts.locks.free(ALL)
      return await adapter.read(key, withoutContext(options))
    },

    async write (key, given, expectation, options) {
      checkKey(key)
      const value = engineParts.copyIn(given)
      const tx = parts.transactionOf('write', options)
      if (tx === undefined) {
        await parts.locks.free(keyOf(key))
        return await adapter.write(key, value, expectation, withoutContext(options))
      }
      await take(key, tx)
      return await within(tx).write(key, value, expectation, withoutContext(options))
    },

    async remove (key, expectation, options) {
      const tx = parts.transactionOf('remove', options)
      if (tx === undefined) {
        await parts.locks.free(keyOf(key))
        return await adapter.remove(key, expectation, withoutContext(options))
      }
      await take(key, tx)
      return await within(tx).remove(key, expectation, withoutContext(options))
    },

    async transaction<R> (
      key: string, expectation: Expectation, work: Work<unknown, R>, options?: WriteOptions
    ): Promise<TransactionResult<unknown, R>> {
      checkKey(key)
      const joined = parts.transactionOf('transaction', options)
      if (joined !== undefined) {
        parts.checkWait(options, 'begin')
        return await carryOut(joined, key, expectation, work, options)
      }
      let tx: Transaction | undefined
      while (true) {
        parts.checkWait(options, 'begin')
        if (engine.isCut) throw new StorageUnavailableError()
        tx = parts.begin(engine, tx)
        try {
          const result = await carryOut(tx, key, expectation, work, options)
          if (!result.applied) return result
          parts.checkWait(options, 'worked')
          if (await commit(tx)) return result
          parts.drop(tx, engine.rows, key)
          if (!parts.mayRunAgain(true, tx)) throw new Error('could not serialize access')
        } catch (error) {
          if (!tx.isOpen) throw error
          parts.drop(tx, engine.rows, key)
          if (!parts.mayRunAgain(isConflict(tx), tx)) throw parts.errorOf(error, tx)
        } finally {
          close(tx)
        }
        // Those that waited for its locks come first.
        await turn()
      }
    }
  }
  return outer
}
