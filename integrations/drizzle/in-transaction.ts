import { drizzle } from 'drizzle-orm/node-postgres'
import type { Pool } from 'pg'
import * as schema from './orders-schema.js'
import type { Tx } from './orders-adapter.js'

/** `db.transaction()`, which itself keeps the connection if BEGIN fails, and gives a broken one back to the pool. */
export async function inTransaction<R> (pool: Pool, work: (tx: Tx) => Promise<R>): Promise<R> {
  const connection = await pool.connect()
  let ofWork: unknown
  try {
    const db = drizzle({ client: connection, schema })
    const result = await db.transaction((tx) => work(tx).catch((error: unknown) => { throw ofWork = error }))
    connection.release()
    return result
  } catch (error) {
    // With another error than that of the work, BEGIN, COMMIT or ROLLBACK failed.
    connection.release(error !== ofWork)
    throw error
  }
}
