import { isIfMatchError, OutcomeUnknownError, VersionUnchangedError } from '../../../lib/errors.js'
import { storageFault } from '../../../lib/storage/kit/whose-fault.js'
import { onOneAndTwo } from '../mutant.js'
import {
  applyAll, aroundTransaction, bothWays, byIsOver, bySignal, joining, outage, over, provenance, race, rollback,
  type TransactionMutant
} from '../transaction-mutant.js'
import { Transaction } from '../transactions.js'

/** Adapters that leave something of a transaction that ended, or pass its end on wrongly. */
export const rollbackMutants: TransactionMutant[] = [
  {
    adapter: 'commits what a work wrote before it failed',
    flaw: () => ({ drop: applyAll }),
    caughtBy: [
      rollback.error, rollback.frozen, rollback.conflict, rollback.busy, rollback.bug, rollback.others,
      rollback.noCreation, rollback.undone, rollback.signalOnTheWay, joining.rolledBack, joining.error, outage.inWork,
      outage.error, outage.inFlight, ...bothWays(over.worked),
      provenance.refused
    ]
  },
  {
    adapter: 'rolls its own entity back, and no other one',
    flaw: () => ({
      drop (tx, rows, key) {
        tx.changes.delete(key)
        applyAll(tx, rows)
      }
    }),
    caughtBy: [
      rollback.error, rollback.frozen, rollback.conflict, rollback.busy, rollback.bug, rollback.others,
      rollback.noCreation, rollback.undone, rollback.signalOnTheWay, joining.rolledBack, joining.error, outage.inWork,
      outage.inFlight, ...bothWays(over.worked)
    ]
  },
  {
    adapter: 'keeps its locks when the work fails',
    flaw: ({ locks }, engine) => ({
      drop (_tx, _rows, key) { locks.take(key, new Transaction(engine)).catch(() => {}) }
    }),
    caughtBy: [
      rollback.error, rollback.frozen, rollback.conflict, rollback.busy, rollback.bug, rollback.thrown,
      rollback.nothing, rollback.others, ...bothWays(over.worked), ...onOneAndTwo(race.opposite)
    ]
  },
  {
    adapter: 'takes every error of a work for an outage',
    flaw: () => ({
      errorOf: (error) => isIfMatchError(error) ? error : new OutcomeUnknownError({ cause: error as Error })
    }),
    caughtBy: [
      rollback.error, rollback.frozen, rollback.conflict, rollback.busy, rollback.bug, rollback.thrown,
      joining.rolledBack, joining.error, ...onOneAndTwo(race.dirty),
      provenance.refused
    ]
  },
  {
    adapter: 'takes errors of a work for an outage unless they have a status of 400 to 499',
    flaw: () => ({
      errorOf: (error) => isIfMatchError(error) || Number(Object(error).statusCode) < 500
        ? error
        : new OutcomeUnknownError({ cause: error as Error })
    }),
    caughtBy: [
      rollback.error, rollback.frozen, rollback.busy, rollback.bug, rollback.thrown, joining.rolledBack, joining.error,
      ...onOneAndTwo(race.dirty),
      provenance.refused
    ]
  },
  {
    adapter: 'takes a bug of the work for a mistake of the statement',
    flaw: () => ({ errorOf: (error) => error instanceof TypeError ? storageFault('the work failed', error) : error }),
    caughtBy: [rollback.bug]
  },
  {
    adapter: 'notes in an error of the work that it was rolled back',
    flaw: () => ({ errorOf: (error) => Object.assign(error as object, { isRolledBack: true }) }),
    caughtBy: [rollback.frozen]
  },
  {
    adapter: 'takes what a work throws before its promise for an outage',
    flaw: aroundTransaction((transaction) => async (key, expectation, work, options) =>
      await transaction(key, expectation, (tx, locked) => {
        try {
          return work(tx, locked)
        } catch (cause) {
          throw new OutcomeUnknownError({ cause: cause as Error })
        }
      }, options)),
    caughtBy: [rollback.thrown]
  },
  {
    adapter: 'asks for no new version',
    flaw: () => ({ hasChanged: () => true }),
    caughtBy: [rollback.nothing, rollback.others, rollback.noCreation, rollback.undone]
  },
  {
    adapter: 'asks for a new version only where one was',
    flaw: () => ({ hasChanged: (before, after) => before === undefined || before !== after }),
    caughtBy: [rollback.noCreation, rollback.undone]
  },
  {
    adapter: 'asks for a new version after it committed',
    flaw: (...args) => ({
      hasChanged: () => true,
      ...aroundTransaction((transaction) => async (key, expectation, work, options) => {
        let before: string | undefined
        const result = await transaction(key, expectation, async (tx, locked) => {
          before = locked.version
          return await work(tx, locked)
        }, options)
        if (result.applied && result.version === before) throw new VersionUnchangedError()
        return result
      })(...args)
    }),
    caughtBy: [rollback.others, rollback.noCreation, rollback.undone, rollback.nothing]
  },
  {
    adapter: 'never asks whether somebody waits',
    flaw: () => ({ checkWait: () => {} }),
    caughtBy: bothWays(over.begin, over.worked, over.turn)
  },
  {
    adapter: 'asks whether somebody waits before it begins alone',
    flaw: ({ checkWait }) => ({ checkWait: (options, when) => { if (when === 'begin') checkWait(options, when) } }),
    caughtBy: bothWays(over.worked, over.turn)
  },
  {
    adapter: 'asks whether somebody waits after the work alone',
    flaw: ({ checkWait }) => ({ checkWait: (options, when) => { if (when === 'worked') checkWait(options, when) } }),
    caughtBy: bothWays(over.begin, over.turn)
  },
  {
    adapter: 'does not ask whether somebody waits when it has waited for its turn',
    flaw: ({ checkWait }) => ({ checkWait: (options, when) => { if (when !== 'locked') checkWait(options, when) } }),
    caughtBy: bothWays(over.turn)
  },
  {
    adapter: 'looks at the signal of a transaction alone',
    flaw: ({ checkWait }) => ({
      checkWait: (options, when) => { checkWait({ signal: options?.signal }, when) }
    }),
    caughtBy: [byIsOver(over.begin), byIsOver(over.worked), byIsOver(over.turn)]
  },
  {
    adapter: 'ignores the signal of a transaction',
    flaw: ({ checkWait }) => ({
      checkWait: (options, when) => { checkWait({ ...options, signal: undefined }, when) }
    }),
    caughtBy: [bySignal(over.begin), bySignal(over.worked), bySignal(over.turn)]
  },
  {
    adapter: 'rejects an applied transaction because the signal aborted meanwhile',
    flaw: aroundTransaction((transaction) => async (key, expectation, work, options) => {
      const result = await transaction(key, expectation, work, options)
      options?.signal?.throwIfAborted()
      return result
    }),
    caughtBy: [rollback.signalOnTheWay]
  },
  {
    adapter: 'takes a transaction back if the signal aborts after its answer',
    flaw: aroundTransaction((transaction, engine) => async (key, expectation, work, options) => {
      const result = await transaction(key, expectation, work, options)
      options?.signal?.addEventListener('abort', () => { engine.rows.delete(key) })
      return result
    }),
    caughtBy: [rollback.signalOnTheWay, rollback.signalAfter]
  }
]
