import { setImmediate as turn } from 'node:timers/promises'
import type { Stored } from '../../../lib/storage/adapter.js'
import { satisfies } from '../../../lib/storage/kit/expectation.js'
import { copyRow, type Engine, type Rows } from '../engine.js'
import { onOneAndTwo, onTwo } from '../mutant.js'
import {
  applyAll, aroundTransaction, bothWays, over, provenance, race, transaction, type TransactionMutant
} from '../transaction-mutant.js'
import { Locks, Transaction } from '../transactions.js'

/** Adapters whose transactions get in the way of others, or others in theirs. */
export const transactionRaceMutants: TransactionMutant[] = [
  {
    adapter: 'locks nothing',
    flaw: () => ({ locks: { take: async () => {}, free: async () => {} } }),
    caughtBy: onOneAndTwo(race.version, race.creation, race.kinds, race.exists, race.any, race.swap, race.write)
  },
  {
    adapter: 'locks in its own process only',
    flaw: () => ({ locks: new Locks() }),
    caughtBy: onTwo(race.version, race.creation, race.kinds, race.exists, race.any, race.swap, race.write)
  },
  {
    adapter: 'locks nothing where no entity is',
    flaw: ({ locks }, engine) => ({
      locks: {
        take: async (key, tx) => { if (engine.rows.has(key)) await locks.take(key, tx) },
        free: async (key) => { await locks.free(key) }
      }
    }),
    caughtBy: onOneAndTwo(race.creation, race.any)
  },
  {
    adapter: 'compares before it locks',
    flaw: aroundTransaction((transaction, engine) => async (key, expectation, work, options) => {
      const current = engine.rows.get(key)
      const isJoined = options?.context !== undefined
      const isRefused = !satisfies(expectation, current?.version)
      return await transaction(key, isJoined || isRefused ? expectation : { kind: 'any' }, work, options)
    }),
    caughtBy: onOneAndTwo(race.version, race.creation, race.kinds)
  },
  {
    adapter: 'lets writes pass its locks',
    flaw: ({ locks }) => ({
      locks: { take: async (key, tx) => { await locks.take(key, tx) }, free: async () => {} }
    }),
    caughtBy: onOneAndTwo(race.kinds, race.swap, race.write)
  },
  {
    adapter: 'commits no removal',
    flaw: () => ({
      apply (tx, rows) {
        for (const [key, row] of tx.changes) if (row !== undefined) rows.set(key, row)
      }
    }),
    caughtBy: [transaction.removal, transaction.everything]
  },
  {
    adapter: 'commits one entity after the other',
    flaw: () => ({
      async apply (tx, rows) {
        for (const [key, row] of tx.changes) {
          row === undefined ? rows.delete(key) : rows.set(key, row)
          await turn()
        }
      }
    }),
    caughtBy: onOneAndTwo(race.whole)
  },
  {
    adapter: 'shows changes before it commits',
    flaw: () => ({
      begin: (engine) => new EarlyTransaction(engine),
      drop (tx) { (tx as EarlyTransaction).undo() }
    }),
    caughtBy: onOneAndTwo(race.whole, race.dirty)
  },
  {
    adapter: 'keeps what a work wrote when it runs again',
    discipline: 'checks',
    flaw: () => ({
      begin (engine, failed) {
        const tx = new Transaction(engine)
        for (const [key, row] of failed?.changes ?? []) tx.changes.set(key, row)
        return tx
      }
    }),
    caughtBy: [provenance.race, ...onOneAndTwo(race.version, race.creation, race.kinds, race.swap, race.write)]
  },
  {
    adapter: 'runs no work again after a conflict',
    discipline: 'checks',
    flaw: () => ({ mayRunAgain: () => false }),
    caughtBy: [
      ...bothWays(over.turn),
      ...onOneAndTwo(race.version, race.creation, race.kinds, race.exists, race.any, race.swap, race.write,
        race.opposite),
      provenance.race
    ]
  },
  {
    adapter: 'passes the deadlock of its engine on',
    flaw: () => ({ mayRunAgain: () => false, errorOf: (error, tx) => tx.isVictim ? new Error('deadlock') : error }),
    caughtBy: onOneAndTwo(race.opposite)
  },
  {
    adapter: 'keeps half of a transaction that ended in a deadlock',
    flaw: () => ({
      mayRunAgain: () => false,
      drop (tx, rows) { if (tx.isVictim) applyAll(tx, rows) }
    }),
    caughtBy: onOneAndTwo(race.opposite)
  }
]

/** A transaction whose changes everybody sees at once. */
class EarlyTransaction extends Transaction {
  readonly #rows: Rows
  readonly #before = new Map<string, Stored | undefined>()

  constructor (engine: Engine) {
    super(engine)
    this.#rows = engine.rows
  }

  override set (key: string, row: Stored): void {
    this.#keep(key)
    super.set(key, row)
    this.#rows.set(key, copyRow(row))
  }

  override delete (key: string): void {
    this.#keep(key)
    super.delete(key)
    this.#rows.delete(key)
  }

  undo (): void {
    for (const [key, row] of this.#before) row === undefined ? this.#rows.delete(key) : this.#rows.set(key, row)
  }

  #keep (key: string): void {
    if (!this.#before.has(key)) this.#before.set(key, this.#rows.get(key))
  }
}
