import { assertStillInside, SAVEPOINT } from './still-inside.js'

/** A connection of mysql2/promise, or of the driver mariadb. */
interface MysqlConnection {
  query (sql: string): Promise<unknown>
  release (): unknown
  destroy (): void
}

interface MysqlPool { getConnection (): Promise<MysqlConnection> }

/**
 * The option `transaction` of `transactionsAdapter` for a pool of mysql2, with callbacks or promises, or of the driver
 * mariadb with promises. Each transaction has a connection of its own, with promises. One that could not be rolled back
 * is closed.
 *
 * A transaction begins with `SET autocommit = 0`, and not with `BEGIN`: after a deadlock, whose error the work may have
 * caught, MySQL would commit each further statement by itself (engine-facts#mariadb-rolled-back-goes-on). A savepoint
 * tells of that before the COMMIT, and all of it is rolled back.
 *
 * @param isolation the isolation level, such as `'READ COMMITTED'`; default: that of the connection
 * @example
 * transactionsAdapter({ client: pool, transaction: mysqlTransaction<PoolConnection>(pool), ... })
 */
export function mysqlTransaction<Tx> (
  pool: object,
  isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE'
): (work: (tx: Tx) => Promise<unknown>) => Promise<unknown> {
  const { promise } = pool as { promise?: unknown }
  const connections = (typeof promise === 'function' ? promise.call(pool) : pool) as MysqlPool
  return async (work) => {
    const connection = await connections.getConnection()
    let result: unknown
    try {
      await begin(connection, isolation)
      result = await work(connection as Tx)
    } catch (error) {
      await connection.query('ROLLBACK').then(() => giveBack(connection), () => { connection.destroy() })
      throw error
    }
    try {
      await assertStillInside((sql) => connection.query(sql))
      await connection.query('COMMIT')
    } catch (error) {
      // What is open is rolled back with the connection, and locks of tables go with it.
      connection.destroy()
      throw error
    }
    void giveBack(connection)
    return result
  }
}

async function begin (connection: MysqlConnection, isolation: string | undefined): Promise<void> {
  const statements = [
    // Ends what somebody may have left open on the connection, which would become part of this transaction.
    'ROLLBACK',
    ...isolation === undefined ? [] : [`SET TRANSACTION ISOLATION LEVEL ${isolation}`],
    'SET autocommit = 0',
    SAVEPOINT
  ]
  // The driver mariadb sends all of them at once, and mysql2 one after the other.
  await Promise.all(statements.map((statement) => connection.query(statement)))
}

// The others of the pool expect autocommit.
async function giveBack (connection: MysqlConnection): Promise<void> {
  await connection.query('SET autocommit = 1').then(() => connection.release(), () => { connection.destroy() })
}
