import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/mysql2'
import type { Pool } from 'mysql2/promise'
import { wholeTransaction } from '../whole-transaction.js'
import type { Tx } from './orders-adapter.js'

/** `db.transaction()`, which itself keeps the connection if BEGIN fails, and gives a broken one back to the pool. */
export const inTransaction = (pool: Pool): (work: (tx: Tx) => Promise<unknown>) => Promise<unknown> =>
  wholeTransaction(async (work) => {
    const connection = await pool.getConnection()
    let ofWork: unknown
    try {
      const result = await drizzle({ client: connection }).transaction(
        (tx) => work(tx).catch((error: unknown) => { throw ofWork = error }),
        { isolationLevel: 'read committed' }
      )
      connection.release()
      return result
    } catch (error) {
      // With another error than that of the work, BEGIN, COMMIT or ROLLBACK failed.
      if (error === ofWork) connection.release()
      else connection.destroy()
      throw error
    }
  }, async (tx: Tx, text) => await tx.execute(sql.raw(text)))
