import { within } from '../kit/deadline.js'
import { warn } from '../kit/warn.js'
import {
  isLeftInTransaction,
  isPgConnection,
  isPgPool,
  type PgClient,
  type PgPool,
  type PostgresClient
} from './client.js'
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
interface Answer { rows: unknown[] }

/**
 * Sends statements to the server, and bounds the wait for each answer. Nothing is sent again unless the server said
 * that it did nothing (engine-facts#any-engine-no-resend), and nothing is sent once nobody waits any more. A statement
 * stands for itself: where a client tells that somebody left a transaction open on it, none is sent
 * (engine-facts#pg-pool-open-transaction).
 */
export class PostgresSession {
  readonly #client: PostgresClient
  readonly #options: SessionOptions
  readonly #pool: PgPool | undefined
  readonly #isPg: boolean
  readonly #standsForItself: boolean
  #isNamed: boolean
  // The end of the statement that was sent last, if each must wait for the one before.
  #last: Promise<unknown> | undefined

  constructor (client: PostgresClient, options: SessionOptions) {
    this.#client = client
    this.#options = options
    this.#pool = isPgPool(client) ? client : undefined
    this.#isPg = options.prepared === true || this.#pool !== undefined || isPgConnection(client)
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
    const { rows } = await within(timeout, this.#inTurn(statement, values, call), () => {
      call.isLate = true
      return call.isSent
        ? new Error(`no answer came within ${timeout} ms`)
        : new NotSentError(`no connection was free within ${timeout} ms`)
    })
    if (!Array.isArray(rows)) throw new Error('the client answered without "rows"')
    return rows as R[]
  }

  #inTurn (statement: Statement, values: unknown[], call: Call): Promise<Answer> {
    if (this.#last === undefined) return this.#carryOut(statement, values, call)
    const sending = this.#last.then(() => this.#carryOut(statement, values, call))
    this.#last = sending.catch(() => {})
    return sending
  }

  #carryOut (statement: Statement, values: unknown[], call: Call): Promise<Answer> {
    return this.#pool === undefined
      ? this.#sendOverClient(statement, values, call)
      : overIdleConnection(this.#pool, (connection) => this.#sendOver(connection, statement, values, call))
  }

  async #sendOverClient (statement: Statement, values: unknown[], call: Call): Promise<Answer> {
    const client = this.#client
    if (this.#standsForItself && await isLeftInTransaction(client)) {
      throw new NotSentError(
        'the client is inside a transaction of the app. End it, or pass { client } as the context of the entity'
      )
    }
    return await this.#sendOver(client, statement, values, call)
  }

  async #sendOver (client: AnyClient, statement: Statement, values: unknown[], call: Call): Promise<Answer> {
    if (call.isLate) throw new NotSentError('nobody waits for the answer any more')
    call.isSent = true
    const isNamed = this.#isNamed && this.#isPg && statement.name !== undefined
    let answer: Answer
    try {
      answer = await this.#send(client, statement, values, isNamed)
    } catch (error) {
      if (!isNamed || !isUnknownStatement(error)) throw error
      this.#warnOfUnprepared()
      answer = await this.#send(client, statement, values, false)
    }
    // A BEGIN that nobody awaited was on its way already, and did not show before.
    const isLeft = this.#standsForItself && isLeftInTransaction(client)
    if (isLeft !== false && await isLeft) throw new JoinedTransactionError()
    return answer
  }

  #send (client: AnyClient, { name, text }: Statement, values: unknown[], isNamed: boolean): Promise<Answer> {
    if (!this.#isPg) return (client as PostgresClient).query(text, values)
    const { timeout } = this.#options
    return (client as PgClient).query(
      isNamed ? { name: name!, text, values, query_timeout: timeout } : { text, values, query_timeout: timeout }
    )
  }

  // The server did not find the statement, so nothing ran (engine-facts#pgbouncer-prepared-statements).
  #warnOfUnprepared (): void {
    if (!this.#isNamed) return
    this.#isNamed = false
    warn(
      'FST_IF_MATCH_POSTGRES_UNPREPARED',
      'Prepared statements do not work on the way to PostgreSQL, as behind PgBouncer before 1.21 in transaction ' +
        'mode. From now on statements are sent unprepared; the option "prepared: false" says so from the start.'
    )
  }
}
