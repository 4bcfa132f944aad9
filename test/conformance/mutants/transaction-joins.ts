import { isIfMatchError, OutcomeUnknownError } from '../../../lib/errors.js'
import {
  applyAll, aroundTransaction, joining, provenance, transaction, type TransactionMutant
} from '../transaction-mutant.js'
import { Transaction, type TransactionParts } from '../transactions.js'

/** Adapters that are wrong about a transaction inside another one. */
export const joiningMutants: TransactionMutant[] = [
  {
    adapter: 'begins a transaction of its own inside another one',
    discipline: 'checks',
    flaw: neverJoining,
    caughtBy: [joining.rolledBack, joining.refusal, provenance.joined]
  },
  {
    adapter: 'waits for itself when a transaction joins another one',
    flaw: neverJoining,
    caughtBy: [joining.rolledBack, joining.refusal, provenance.joined, provenance.inside]
  },
  {
    adapter: 'commits at the end of a transaction that joined another one',
    flaw: aroundTransaction((transaction, engine) => async (key, expectation, work, options) => {
      const result = await transaction(key, expectation, work, options)
      const { client } = Object(options?.context)
      if (client instanceof Transaction) applyAll(client, engine.rows)
      return result
    }),
    caughtBy: [joining.rolledBack]
  },
  {
    adapter: 'rolls the transaction back that a refused one joined',
    flaw: aroundTransaction((transaction) => async (key, expectation, work, options) => {
      const result = await transaction(key, expectation, work, options)
      const { client } = Object(options?.context)
      if (!result.applied && client instanceof Transaction) client.changes.clear()
      return result
    }),
    caughtBy: [joining.refusal]
  },
  {
    adapter: 'takes the failure of a transaction that joined another one for an outage',
    flaw: aroundTransaction((transaction) => async (key, expectation, work, options) => {
      try {
        return await transaction(key, expectation, work, options)
      } catch (error) {
        if (options?.context === undefined || isIfMatchError(error)) throw error
        throw new OutcomeUnknownError()
      }
    }),
    caughtBy: [joining.error]
  },
  {
    adapter: 'ignores a context without a transaction when it begins one',
    flaw: ({ transactionOf }) => ({
      transactionOf (operation, options) {
        if (operation === 'transaction' && !(Object(options?.context).client instanceof Transaction)) return undefined
        return transactionOf(operation, options)
      }
    }),
    caughtBy: [transaction.context]
  }
]

function neverJoining ({ transactionOf }: TransactionParts): Partial<TransactionParts> {
  return {
    transactionOf (operation, options) {
      const tx = transactionOf(operation, options)
      return operation === 'transaction' ? undefined : tx
    }
  }
}
