import { isPromise } from 'node:util/types'
import type { Flaw } from '../kit/flaws.js'

/**
 * A client of PostgreSQL: a `Pool` or `Client` of pg, a PGlite, a driver for serverless platforms. Each call is one
 * statement with its parameters, and resolves when the server has carried it out. Afterwards the array of its
 * parameters may be emptied, so a client that notes them for later copies them.
 */
export interface PostgresClient {
  query (text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

/** A statement in the form of pg alone: a name prepares it, and `query_timeout` frees a connection that hangs. */
export interface PgQuery {
  name?: string
  text: string
  values: unknown[]
  query_timeout: number
}

/** A client that takes `PgQuery` as well. */
export interface PgClient {
  query (query: PgQuery): Promise<{ rows: unknown[] }>
}

/** A Pool of pg. */
export interface PgPool {
  readonly totalCount: number
  /** Calls back at once, in the same turn in which it has the connection, or gives a promise. */
  connect (callback: (error: Error | undefined, client?: PgPoolClient) => void): Promise<PgPoolClient> | void
}

/** A connection that was taken out of a Pool of pg. */
export interface PgPoolClient extends PgClient {
  /** @param destroys whether the connection leaves the pool, and is closed */
  release (destroys: boolean): void
  on (event: 'error', listener: () => void): this
  removeListener (event: 'error', listener: () => void): unknown
}

/** Whether a value has the one method of a client. */
export function isClient (candidate: unknown): candidate is PostgresClient {
  return typeof (candidate as Partial<PostgresClient> | null | undefined)?.query === 'function'
}

/** Whether a client is a Pool of pg, or is built on one: each of its statements may go over another connection. */
export function isPgPool (client: unknown): client is PgPool {
  const { totalCount, connect } = Object(client) as Partial<PgPool>
  return typeof totalCount === 'number' && typeof connect === 'function'
}

/** Whether a client is one connection of pg. */
export function isPgConnection (client: unknown): boolean {
  return typeof (client as { escapeIdentifier?: unknown } | null | undefined)?.escapeIdentifier === 'function'
}

/** Whether a client is certainly in no transaction. Those that do not tell count as inside one. */
export function isOutsideTransaction (client: unknown): boolean {
  return isLite(client) ? !isLiteInTransaction(client) : transactionStatus(client) === 'I'
}

/** Whether a connection of pg is certainly inside a transaction, be it one that failed. */
export function isInsideTransaction (client: unknown): boolean {
  const status = transactionStatus(client)
  return status === 'T' || status === 'E'
}

/** Whether somebody has certainly left a transaction open on a client. A connection of pg and a PGlite tell. */
export function isLeftInTransaction (client: unknown): Promise<boolean> | boolean {
  if (!isLite(client)) return isInsideTransaction(client)
  // A transaction of its method `transaction` ends by itself, and nothing else has a turn meanwhile
  // (engine-facts#pglite-transactions).
  return isLiteInTransaction(client) && client._runExclusiveTransaction(async () => isLiteInTransaction(client))
}

/** What is wrong with a client of a context, which must be in a transaction, as far as it can be told. */
export function flawsOfContext (client: unknown): Flaw[] {
  return [
    [isPromise(client), 'the client of "context" is a promise. Await it.'],
    [
      isPgPool(client),
      'the client of "context" is a pool, whose statements share no transaction. ' +
        'Take a client out of it with connect().'
    ],
    [
      isOutsideTransaction(client),
      'the client of "context" is in no transaction, so what it writes could not be rolled back. ' +
        'Send BEGIN first, and await it.'
    ]
  ]
}

// As the server reports it behind each statement: idle, in a transaction, or in one that failed.
function transactionStatus (client: unknown): unknown {
  return (client as { getTransactionStatus?: () => unknown } | null | undefined)?.getTransactionStatus?.()
}

interface Lite {
  isInTransaction (): boolean
  _runExclusiveTransaction<R> (run: () => Promise<R>): Promise<R>
}

function isLite (client: unknown): client is Lite {
  const { isInTransaction, _runExclusiveTransaction: runExclusive } = Object(client) as Partial<Lite>
  return typeof isInTransaction === 'function' && typeof runExclusive === 'function'
}

function isLiteInTransaction (client: Lite): boolean {
  try {
    return client.isInTransaction()
  } catch {
    // It is not ready yet, or closed.
    return false
  }
}
