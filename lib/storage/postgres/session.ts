import { isPgConnection, isPgPool, type PgClient, type PostgresClient } from './client.js'
import { isUnknownStatement } from './faults.js'
import type { Statement } from './sql.js'
import { warn } from '../kit/warn.js'
import { within } from '../kit/deadline.js'

/** How a session sends. */
export interface SessionOptions {
  /** How long an answer is waited for, in milliseconds. */
  timeout: number
  /** Whether statements are named, and so prepared once a connection; undefined: where the client is one of pg. */
  prepared?: boolean | undefined
}

/** The way of a statement to the server, and the bound on waiting for the answer. Nothing is ever sent twice (E3). */
export class PostgresSession {
  readonly #client: PostgresClient
  readonly #options: SessionOptions
  readonly #isPg: boolean
  #isNamed: boolean
  #last: Promise<unknown> | undefined

  constructor (client: PostgresClient, options: SessionOptions) {
    this.#client = client
    this.#options = options
    this.#isPg = options.prepared === true || isPgPool(client) || isPgConnection(client)
    this.#isNamed = options.prepared ?? this.#isPg
    // One connection of pg does one thing at a time, and pg 9 will no longer queue for it.
    if (isPgConnection(client)) this.#last = Promise.resolve()
  }

  /** The rows of the answer, or what the driver rejects with; an answer that does not come in time is a plain error (E31, E32). */
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
    // The server did not find the statement, so nothing ran (E27).
    if (this.#isNamed) {
      this.#isNamed = false
      warn(
        'FST_IF_MATCH_POSTGRES_UNPREPARED',
        'Prepared statements do not work on the way to PostgreSQL, as behind PgBouncer before 1.21 in transaction mode. ' +
          'From now on statements are sent unprepared; the option "prepared: false" says so from the start.'
      )
    }
    return await client.query(query)
  }
}
