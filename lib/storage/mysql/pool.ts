import { warn } from '../kit/warn.js'
import type { Answer, Connection, Source } from './client.js'
import { faultKind, NotSentError } from './faults.js'

// So many connections that came back inside a transaction are closed for one statement. What is left of them is closed
// by the next statements.
const MOST_DROPPED = 16

// One warning for each client: a bug that leaves transactions open does so again and again.
const warned = new WeakSet<Source>()

/**
 * Runs a statement over a connection of the pool. A connection that came back inside a transaction is closed, which
 * rolls the statement back with the transaction, and the statement goes over the next one
 * (engine-facts#mysql-pool-open-transaction).
 *
 * @throws NotSentError if there was no connection to use; any error of `run`
 */
export async function overIdleConnection (
  pool: Source,
  run: (connection: Connection) => Promise<Answer>
): Promise<Answer> {
  for (let dropped = 0; dropped <= MOST_DROPPED; dropped++) {
    const connection = await connected(pool)
    const answer = await answerOver(connection, run)
    if (answer.isInTransaction !== true) {
      connection.giveBack()
      return answer
    }
    connection.destroy()
    warnOf(pool)
  }
  throw new NotSentError('each connection of the pool is inside a transaction, or has no autocommit')
}

async function answerOver (connection: Connection, run: (connection: Connection) => Promise<Answer>): Promise<Answer> {
  try {
    return await run(connection)
  } catch (error) {
    if (leavesIntact(error)) connection.giveBack()
    else connection.destroy()
    throw error
  }
}

/** A connection of a client. @throws NotSentError if there is none */
export async function connected (source: Source): Promise<Connection> {
  try {
    return await source.connect()
  } catch (cause) {
    throw new NotSentError(String(Object(cause).message || Object(cause).code), { cause })
  }
}

function warnOf (pool: Source): void {
  if (warned.has(pool)) return
  warned.add(pool)
  warn(
    'FST_IF_MATCH_MYSQL_OPEN_TRANSACTION',
    'A connection came back to the pool of MySQL inside a transaction, or without autocommit, and was closed: ' +
      'nothing of that transaction was committed. Look for a transaction that has no COMMIT or ROLLBACK ahead of ' +
      'release().'
  )
}

// What is not of the statement is of the connection or the server, and another connection may find another server: one
// that became a replica keeps its connections, and refuses each write (1290).
function leavesIntact (error: unknown): boolean {
  return error instanceof NotSentError || !['NOT_APPLIED', 'UNKNOWN', 'OTHER'].includes(faultKind(error))
}
