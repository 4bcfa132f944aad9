import { InvalidOptionsError } from '../../errors.js'
import { within } from '../kit/deadline.js'
import type { Answer, Connection, Row, Source, Value } from './client.js'
import { NotSentError, UncertainError } from './faults.js'
import { connected, overIdleConnection } from './pool.js'
import { INSIDE, lockSeconds, OUTSIDE } from './sql.js'

/** Options of `MysqlSession`. */
export interface SessionOptions {
  /** How long the session waits for an answer, in milliseconds. */
  timeout: number
  /** How long a change waits for a locked row, in milliseconds. 0: the server's own bound. */
  lockTimeout: number
  /** Whether the client is inside a transaction of the app, and is meant to be. */
  isInTransaction?: boolean
  /** Tells of the server, if another session knows it already. */
  server?: () => Promise<Server>
}

/** What the adapter must know of the server. */
export interface Server {
  isMariaDb: boolean
  /** The longest packet that the server takes, in bytes. */
  maxPacket: number
  /** The database of the first connection; undefined: it has none. */
  database: string | undefined
}

/** How far a call has come, and over which connection. */
interface Call { isLate: boolean, over?: Connection }

const SERVER = 'SELECT VERSION(), CAST(@@max_allowed_packet AS CHAR), DATABASE()'

/**
 * Sends statements to the server, and bounds the wait for each answer. Nothing is sent again unless it was certainly
 * not applied (engine-facts#any-engine-no-resend), and nothing is sent once nobody waits any more. A statement stands
 * for itself, or is part of the transaction of the app that it is meant for: the server tells which with its answer.
 */
export class MysqlSession {
  readonly #source: Source
  readonly #options: SessionOptions
  // The connections of a MySQL that were told the bound.
  readonly #bounded = new WeakSet<object>()
  #server: Server | undefined
  // The end of the statement that was sent last, if each must wait for the one before: a single connection carries out
  // one at a time, and a driver would send what nobody waits for any more.
  #last: Promise<unknown> | undefined

  constructor (source: Source, options: SessionOptions) {
    this.#source = source
    this.#options = options
    if (!source.isPool) this.#last = Promise.resolve()
  }

  /**
   * What the adapter must know of the server. It asks once.
   *
   * @throws NotSentError if that cannot be found out
   */
  async server (): Promise<Server> {
    if (this.#options.server !== undefined) return await this.#options.server()
    if (this.#server !== undefined) return this.#server
    const asked = this.#inTime((call) => this.#carryOut(SERVER, [], call))
    const { rows: [row] } = await asked.catch((cause) => {
      // Nothing of the statement was sent that this is ahead of.
      throw cause instanceof NotSentError ? cause : new NotSentError('the server did not tell its version', { cause })
    })
    const [version, maxPacket, database] = row!
    this.#server = {
      isMariaDb: /mariadb/i.test(String(version)),
      maxPacket: Number(maxPacket),
      database: database ?? undefined
    }
    return this.#server
  }

  /**
   * The rows of the answer. Rejects with the error of the driver; with a NotSentError if there is no connection in time
   * that could be used; with an UncertainError if the answer does not come in time, or if the statement was carried out
   * in a transaction of somebody else, or outside of its own.
   */
  async query (text: string, values: readonly Value[]): Promise<Row[]> {
    const { isMariaDb } = await this.server()
    const ahead = isMariaDb ? undefined : async (connection: Connection) => { await this.#assertSide(connection) }
    return (await this.#inTime((call) => this.#carryOut(text, values, call, ahead))).rows
  }

  /** How many rows a statement changed. It rejects as `query` does. */
  async change (text: string, values: readonly Value[]): Promise<number> {
    const server = await this.server()
    assertFits(values, server.maxPacket)
    const ahead = async (connection: Connection): Promise<void> => {
      await this.#assertSide(connection)
      await this.#bound(connection)
    }
    return (await this.#inTime((call) =>
      this.#carryOut(text, values, call, server.isMariaDb ? undefined : ahead)
    )).affectedRows
  }

  async #inTime (send: (call: Call) => Promise<Answer>): Promise<Answer> {
    const { timeout } = this.#options
    const call: Call = { isLate: false }
    return await within(timeout, this.#inTurn(() => send(call)), () => {
      call.isLate = true
      if (call.over === undefined) return new NotSentError(`no connection was free within ${timeout} ms`)
      if (this.#source.isPool) call.over.destroy()
      return new UncertainError(`MySQL: no answer came within ${timeout} ms.`)
    })
  }

  async #inTurn<R> (send: () => Promise<R>): Promise<R> {
    if (this.#last === undefined) return await send()
    const sending = this.#last.then(send)
    this.#last = sending.catch(() => {})
    return await sending
  }

  async #carryOut (
    text: string,
    values: readonly Value[],
    call: Call,
    ahead: (connection: Connection) => Promise<void> = async () => {}
  ): Promise<Answer> {
    const send = async (connection: Connection): Promise<Answer> => {
      assertNotLate(call)
      call.over = connection
      await ahead(connection)
      assertNotLate(call)
      return withStatus(await connection.send(text, values))
    }
    if (this.#source.isPool) return await overIdleConnection(this.#source, send)
    const connection = await connected(this.#source)
    if (this.#options.isInTransaction === true) return assertInside(await send(connection))
    return assertForItself(await send(connection))
  }

  // The text of a statement cannot ask MySQL whether there is a transaction. Over a pool the answer tells in time.
  async #assertSide (connection: Connection): Promise<void> {
    if (this.#source.isPool) return
    const { isInTransaction } = await connection.send('DO 0', [])
    if (this.#options.isInTransaction !== true && isInTransaction === true) throw new NotSentError(INSIDE_ANOTHER)
    if (this.#options.isInTransaction === true && isInTransaction === false) throw noTransaction()
  }

  // Nor can the text bound the wait. In a transaction of the app the bound is the app's.
  async #bound (connection: Connection): Promise<void> {
    const { lockTimeout } = this.#options
    if (lockTimeout === 0 || this.#bounded.has(connection.id)) return
    const seconds = lockSeconds(lockTimeout)
    await connection.send(`SET SESSION innodb_lock_wait_timeout = ${seconds}, lock_wait_timeout = ${seconds}`, [])
    this.#bounded.add(connection.id)
  }
}

function assertNotLate ({ isLate }: Call): void {
  if (isLate) throw new NotSentError('nobody waits for the answer any more')
}

// mysql2 tells of the transaction where no rows come, so the rows tell by themselves.
function withStatus (answer: Answer): Answer {
  const told = answer.rows[0]?.[0]
  const isInTransaction = told === INSIDE ? true : told === OUTSIDE ? false : answer.isInTransaction
  return { ...answer, isInTransaction }
}

function assertForItself (answer: Answer): Answer {
  if (answer.isInTransaction !== true) return answer
  if (answer.affectedRows === 0) throw new NotSentError(INSIDE_ANOTHER)
  throw new UncertainError(`MySQL: the statement was carried out, and ${INSIDE_ANOTHER}.`)
}

const INSIDE_ANOTHER = 'the client is inside a transaction of the app, or has no autocommit. End the transaction, or ' +
  'pass { client } as the context of the entity'

function assertInside (answer: Answer): Answer {
  if (answer.isInTransaction !== false) return answer
  if (answer.affectedRows === 0) throw noTransaction()
  throw new UncertainError(
    'MySQL: the statement was carried out by itself, because the transaction of "context" had ended, and stays. ' +
      'Await each COMMIT and ROLLBACK.'
  )
}

function noTransaction (): Error {
  return new InvalidOptionsError(
    'the entity',
    'the client of "context" is in no transaction, so what it writes could not be rolled back, and nothing was ' +
      'written. Send BEGIN first, and await it. A deadlock ends a transaction: run it again as a whole.'
  )
}

// The server ends the connection over a statement that is too large, and its answer may be lost on the way.
function assertFits (values: readonly Value[], maxPacket: number): void {
  const bytes = values.reduce((sum, value) => sum + LARGEST_PREFIX + Buffer.byteLength(value ?? ''), 0)
  if (bytes <= maxPacket) return
  throw Object.assign(new Error('too large'), { code: 'ER_NET_PACKET_TOO_LARGE', errno: 1153, sqlState: '08S01' })
}

const LARGEST_PREFIX = 9
