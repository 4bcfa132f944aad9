import { within } from '../kit/deadline.js'
import { warn } from '../kit/warn.js'
import { isPgConnection, isPgPool, type PgClient, type PostgresClient } from './client.js'
import { isUnknownStatement } from './faults.js'
import type { Statement } from './sql.js'

/** Options of `PostgresSession`. */
export interface SessionOptions {
  /** How long the session waits for an answer, in milliseconds. */
  timeout: number
  /** Whether statements have names, and so are prepared once on each connection. By default: if the client is of pg. */
  prepared?: boolean | undefined
}

/**
 * Sends statements to the server, and bounds the wait for each answer. Nothing is sent again unless
 * the server said that it did nothing (engine-facts#any-engine-no-resend).
 */
export class PostgresSession {
  readonly #client: PostgresClient
  readonly #options: SessionOptions
  readonly #isPg: boolean
  #isNamed: boolean
  // The end of the statement that was sent last, if each must wait for the one before.
  #last: Promise<unknown> | undefined

  constructor (client: PostgresClient, options: SessionOptions) {
    this.#client = client
    this.#options = options
    this.#isPg = options.prepared === true || isPgPool(client) || isPgConnection(client)
    this.#isNamed = options.prepared ?? this.#isPg
    // One connection carries out one statement at a time, and pg 9 will not queue the others
    // (engine-facts#pg-queueing-deprecated).
    if (isPgConnection(client)) this.#last = Promise.resolve()
  }

  /**
   * The rows of the answer. Rejects with the error of the driver, or with a plain error if the answer does not come in
   * time (engine-facts#pg-half-open-connection).
   */
  async query<R> (statement: Statement, values: unknown[]): Promise<R[]> {
    const { timeout } = this.#options
    const { rows } = await within(
      timeout,
      this.#inTurn(() => this.#send(statement, values)),
      () => new Error(`no answer came within ${timeout} ms`)
    )
    if (!Array.isArray(rows)) throw new Error('the client answered without "rows"')
    return rows as R[]
  }

  async #inTurn<R> (send: () => Promise<R>): Promise<R> {
    if (this.#last === undefined) return await send()
    const sending = this.#last.then(send)
    this.#last = sending.catch(() => {})
    return await sending
  }

  async #send ({ name, text }: Statement, values: unknown[]): Promise<{ rows: unknown[] }> {
    if (!this.#isPg) return await this.#client.query(text, values)
    const client = this.#client as unknown as PgClient
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
