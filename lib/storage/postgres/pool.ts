import { warn } from '../kit/warn.js'
import { isInsideTransaction, isOutsideTransaction, type PgPool, type PgPoolClient } from './client.js'
import { faultKind, isRefusedByTransaction, NotSentError } from './faults.js'

// One warning for each pool: a bug that leaves transactions open does so again and again.
const warned = new WeakSet<PgPool>()

/**
 * Runs a statement over a connection of the pool, as `query()` of the pool does, but for two things. A connection that
 * came back inside a transaction is not used (engine-facts#pg-pool-open-transaction): it leaves the pool, which ends
 * its transaction, and the next one is taken. And a connection stays in the pool when the server refused the statement
 * alone.
 *
 * @param run sends the statement; again over the next connection, if the server carried out nothing on this one
 * @throws NotSentError if there was no connection to use; any error of `run`
 */
export async function overIdleConnection<R> (pool: PgPool, run: (client: PgPoolClient) => Promise<R>): Promise<R> {
  // A new connection is in no transaction, so all that are there can be dropped before one is found.
  for (let dropped = 0, most = pool.totalCount; dropped <= most; dropped++) {
    const client = await connected(pool)
    let isOpen = isInsideTransaction(client)
    let keeps = false
    try {
      if (!isOpen) {
        const result = await run(client)
        keeps = true
        return result
      }
    } catch (error) {
      isOpen = isRefusedByTransaction(error)
      keeps = !isOpen && leavesIntact(error, client)
      if (!isOpen) throw error
    } finally {
      giveBack(client, !keeps)
    }
    warnOf(pool)
  }
  throw new NotSentError('each connection of the pool is inside a transaction')
}

/**
 * A connection of the pool that is in no transaction. Whoever takes it gives it back, with `giveBack`.
 *
 * @throws NotSentError if there is none
 */
export async function idleConnection (pool: PgPool): Promise<PgPoolClient> {
  for (let dropped = 0, most = pool.totalCount; dropped <= most; dropped++) {
    const client = await connected(pool)
    if (!isInsideTransaction(client)) return client
    giveBack(client, true)
    warnOf(pool)
  }
  throw new NotSentError('each connection of the pool is inside a transaction')
}

// The pool listens only while it has the connection, and an error without a listener ends the process. The statement
// rejects with it. A promise would leave a gap: the packet that made the connection ready may tell of its end, too
// (engine-facts#pg-error-behind-ready).
function connected (pool: PgPool): Promise<PgPoolClient> {
  return new Promise((resolve, reject) => {
    const take = (client: PgPoolClient): void => { resolve(client.on('error', ignore)) }
    const fail = (cause: unknown): void => { reject(new NotSentError(String(Object(cause).message), { cause })) }
    try {
      const promised = pool.connect((error, client) => { client === undefined ? fail(error) : take(client) })
      // Another pool than that of pg may know no callback.
      promised?.then(take, fail)
    } catch (cause) {
      fail(cause)
    }
  })
}

/** Gives a connection back; `destroys`: it leaves the pool, and is closed. */
export function giveBack (client: PgPoolClient, destroys: boolean): void {
  client.release(destroys)
  client.removeListener('error', ignore)
}

function warnOf (pool: PgPool): void {
  if (warned.has(pool)) return
  warned.add(pool)
  warn(
    'FST_IF_MATCH_POSTGRES_OPEN_TRANSACTION',
    'A connection came back to the pool of PostgreSQL inside a transaction, and was closed: nothing of that ' +
      'transaction was committed. Look for a BEGIN that has no COMMIT or ROLLBACK ahead of release().'
  )
}

// FATAL ends the connection. What is not of the statement is of the session or the server, and another connection may
// find another one: a primary that became a standby keeps its connections, and refuses each write (25006). A client
// that does not tell its status may be in a transaction, which has failed now.
function leavesIntact (error: unknown, client: PgPoolClient): boolean {
  if (error instanceof NotSentError) return true
  const isOfStatement = Object(error).severity === 'ERROR' && !['NOT_APPLIED', 'UNKNOWN'].includes(faultKind(error))
  return isOfStatement && isOutsideTransaction(client)
}

function ignore (): void {}
