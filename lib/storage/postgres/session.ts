import { within } from '../kit/deadline.js'
import { warn } from '../kit/warn.js'
import { isLeftInTransaction, isPgConnection, isPgPool, type PgClient, type PostgresClient } from './client.js'
import { isUnknownStatement, JoinedTransactionError, NotSentError } from './faults.js'
import { overIdleConnection } from './pool.js'
import type { Statement } from './sql.js'

/** Options of `PostgresSession`. */
export interface SessionOptions {
  /** How long the session waits for an answer, in milliseconds. */
  timeout: number
  /** Whether statements have names, and so are prepared once on each connection. By default: if the client is of pg. */
  prepared?: boolean | undefined
  /** Whether the client is inside a transaction of the app, and is meant to be. */
  isInTransaction?: boolean
}

/** How far a call has come. */
interface Call { isSent: boolean, isLate: boolean }

type AnyClient = PostgresClient | PgClient

/**
 * Sends statements to the server, and bounds the wait for each answer. Nothing is sent again unless the server said
 * that it did nothing (engine-facts#any-engine-no-resend), and nothing is sent once nobody waits any more. A statement
 * stands for itself: where a client tells that somebody left a transaction open on it, none is sent
 * (engine-facts#pg-pool-open-transaction).
 */
export class PostgresSession {
  readonly #client: PostgresClient
  readonly #options: SessionOptions
  readonly #isPg: boolean
  readonly #standsForItself: boolean
  #isNamed: boolean
  // The end of the statement that was sent last, if each must wait for the one before.
  #last: Promise<unknown> | undefined

  constructor (client: PostgresClient, options: SessionOptions) {
    this.#client = client
    this.#options = options
    this.#isPg = options.prepared === true || isPgPool(client) || isPgConnection(client)
    this.#isNamed = options.prepared ?? this.#isPg
    this.#standsForItself = options.isInTransaction !== true
    // One connection carries out one statement at a time, and pg 9 will not queue the others
    // (engine-facts#pg-queueing-deprecated).
    if (isPgConnection(client)) this.#last = Promise.resolve()
  }

  /**
   * The rows of the answer. Rejects with the error of the driver; with a NotSentError if there is no connection in
   * time that could be used; with a plain error if the answer does not come in time
   * (engine-facts#pg-half-open-connection); with a JoinedTransactionError if the statement is part of a transaction
   * that somebody else began.
   */
  async query<R> (statement: Statement, values: unknown[]): Promise<R[]> {
    const { timeout } = this.#options
    const call: Call = { isSent: false, isLate: false }
    const { rows } = await within(timeout, this.#inTurn(() => this.#carryOut(statement, values, call)), () => {
      call.isLate = true
      return call.isSent
        ? new Error(`no answer came within ${timeout} ms`)
        : new NotSentError(`no connection was free within ${timeout} ms`)
    })
    if (!Array.isArray(rows)) throw new Error('the client answered without "rows"')
    return rows as R[]
  }

  async #inTurn<R> (send: () => Promise<R>): Promise<R> {
    if (this.#last === undefined) return await send()
    const sending = this.#last.then(send)
    this.#last = sending.catch(() => {})
    return await sending
  }

  async #carryOut (statement: Statement, values: unknown[], call: Call): Promise<{ rows: unknown[] }> {
    const client = this.#client
    if (isPgPool(client)) {
      return await overIdleConnection(client, (connection) => this.#sendOver(connection, statement, values, call))
    }
    if (this.#standsForItself && await isLeftInTransaction(client)) {
      throw new NotSentError(
        'the client is inside a transaction of the app. End it, or pass { client } as the context of the entity'
      )
    }
    return await this.#sendOver(client, statement, values, call)
  }

  async #sendOver (client: AnyClient, statement: Statement, values: unknown[], call: Call) {
    if (call.isLate) throw new NotSentError('nobody waits for the answer any more')
    call.isSent = true
    const answer = await this.#send(client, statement, values)
    // A BEGIN that nobody awaited was on its way already, and did not show before.
    if (this.#standsForItself && await isLeftInTransaction(client)) throw new JoinedTransactionError()
    return answer
  }

  async #send (given: AnyClient, { name, text }: Statement, values: unknown[]): Promise<{ rows: unknown[] }> {
    if (!this.#isPg) return await (given as PostgresClient).query(text, values)
    const client = given as PgClient
    const query = { text, values, query_timeout: this.#options.timeout }
    if (!this.#isNamed || name === undefined) return await client.query(query)
    try {
      return await client.query({ ...query, name })
    } catch (error) {
      if (!isUnknownStatement(error)) throw error
    }
    // The server did not find the statement, so nothing ran (engine-facts#pgbouncer-prepared-statements).
    if (this.#isNamed) {
      this.#isNamed = false
      warn(
        'FST_IF_MATCH_POSTGRES_UNPREPARED',
        'Prepared statements do not work on the way to PostgreSQL, as behind PgBouncer before 1.21 in transaction ' +
          'mode. From now on statements are sent unprepared; the option "prepared: false" says so from the start.'
      )
    }
    return await client.query(query)
  }
}
