import { isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from '../../../lib/errors.js'
import { applyAll, aroundOthers, aroundTransaction, outage, type TransactionMutant } from '../transaction-mutant.js'

/** Adapters that say something wrong of an outage, or keep a part of a transaction in one. */
export const transactionOutageMutants: TransactionMutant[] = [
  {
    adapter: 'refuses transactions in an outage',
    flaw: aroundTransaction((transaction, engine) => async (...args) =>
      engine.isCut ? { applied: false, current: undefined } : await transaction(...args)),
    caughtBy: [outage.during, outage.after]
  },
  {
    adapter: 'applies transactions in an outage',
    flaw: aroundTransaction((transaction, engine) => async (...args) => {
      const { isCut } = engine
      engine.isCut = false
      try {
        return await transaction(...args)
      } finally {
        engine.isCut ||= isCut
      }
    }),
    caughtBy: [outage.during, outage.after]
  },
  {
    adapter: 'sends transactions later that it rejected with STORAGE_UNAVAILABLE',
    flaw: aroundTransaction((transaction, engine) => async (...args) => {
      if (engine.isCut) engine.onMend.push(() => { transaction(...args).catch(() => {}) })
      return await transaction(...args)
    }),
    caughtBy: [outage.during]
  },
  {
    adapter: 'confirms a transaction whose COMMIT could not be sent',
    flaw: ({ lostCommit }) => ({
      lostCommit: (wasSent, tx, engine) => wasSent ? lostCommit(wasSent, tx, engine) : undefined
    }),
    caughtBy: [outage.inWork, outage.inFlight]
  },
  {
    adapter: 'reports STORAGE_UNAVAILABLE for a transaction whose COMMIT was not answered',
    flaw: () => ({ lostCommit: () => new StorageUnavailableError() }),
    caughtBy: [outage.inFlight]
  },
  {
    adapter: 'commits after an outage what it reported as STORAGE_UNAVAILABLE',
    flaw: () => ({
      lostCommit (wasSent, tx, engine) {
        if (wasSent) return new OutcomeUnknownError()
        engine.onMend.push(() => applyAll(tx, engine.rows))
        return new StorageUnavailableError()
      }
    }),
    caughtBy: [outage.inWork, outage.inFlight]
  },
  {
    adapter: 'keeps half of a transaction whose outcome is unknown',
    flaw: () => ({
      lostCommit (_wasSent, tx, engine) {
        engine.rows.delete([...tx.changes.keys()][0]!)
        return new OutcomeUnknownError()
      }
    }),
    caughtBy: [outage.inFlight]
  },
  {
    adapter: 'lets the errors of its driver out of a transaction',
    flaw: () => ({
      lostCommit: () => new Error('Connection terminated unexpectedly'),
      errorOf: (error) => error instanceof StorageUnavailableError ? new Error('Connection terminated') : error
    }),
    caughtBy: [outage.inWork, outage.inFlight]
  },
  {
    adapter: 'reads an outage inside a transaction as an absence',
    flaw: aroundOthers((adapter) => ({
      async read (key, options) {
        try {
          return await adapter.read(key, options)
        } catch (error) {
          if (options?.context !== undefined && error instanceof StorageUnavailableError) return undefined
          throw error
        }
      }
    })),
    caughtBy: [outage.inWork]
  },
  {
    adapter: 'answers with an error of its own when it cannot roll back',
    flaw: () => ({ errorOf: (error, tx) => tx.isAlive || isIfMatchError(error) ? error : new Error('no ROLLBACK') }),
    caughtBy: [outage.error]
  },
  {
    adapter: 'begins no transaction after an outage',
    flaw: aroundTransaction((transaction, engine) => async (...args) => {
      if (engine.outages > 0) throw new StorageUnavailableError()
      return await transaction(...args)
    }),
    caughtBy: [outage.during, outage.after]
  }
]

/** No flaw: the contract allows it. The outcome of transactions in an outage is unknown, and they are sent later. */
export const unknownTransactionsInOutages = aroundTransaction((transaction, engine) => async (...args) => {
  if (!engine.isCut) return await transaction(...args)
  engine.onMend.push(() => { transaction(...args).catch(() => {}) })
  throw new OutcomeUnknownError()
})
