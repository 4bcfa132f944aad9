import { giveBack, idleConnection } from '../postgres/pool.js'
import { isInsideTransaction, type PgPool, type PgPoolClient } from '../postgres/client.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'

/**
 * The option `transaction` of `transactionsAdapter` for a Pool of pg: each transaction has a connection of its own. One
 * that somebody left inside a transaction is not used (engine-facts#pg-pool-open-transaction), and one that could not
 * be rolled back is closed.
 *
 * @param begin how a transaction begins, such as `'BEGIN ISOLATION LEVEL SERIALIZABLE'`
 * @example
 * transactionsAdapter({ client: pool, transaction: pgTransaction<PoolClient>(pool), ... })
 */
export function pgTransaction<Tx = PgPoolClient> (
  pool: object,
  begin = 'BEGIN'
): (work: (tx: Tx) => Promise<unknown>) => Promise<unknown> {
  return async (work) => {
    const connection = await idleConnection(pool as PgPool)
    const session = connection as unknown as { query (text: string): Promise<{ command?: string }> }
    // Whether the server has answered the end of the transaction. pg below 8.21 does not tell the status itself.
    let isEnded = false
    let result: unknown
    try {
      await session.query(begin)
      try {
        result = await work(connection as Tx)
      } catch (error) {
        await session.query('ROLLBACK').then(() => { isEnded = true }, () => {})
        throw error
      }
      const { command } = await session.query('COMMIT')
      isEnded = true
      // A transaction in which a statement failed is rolled back by COMMIT, without an error.
      if (command === 'ROLLBACK') throw storageFault(FAULT.rolledBack, new Error('COMMIT was answered with ROLLBACK.'))
    } finally {
      giveBack(connection, !isEnded || isInsideTransaction(connection))
    }
    return result
  }
}
