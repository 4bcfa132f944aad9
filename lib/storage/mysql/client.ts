import { isPromise } from 'node:util/types'
import type { Flaw } from '../kit/flaws.js'

/**
 * A client of MySQL or MariaDB: a Pool or Connection of mysql2, with callbacks or promises, or of the driver mariadb,
 * with promises.
 */
export interface MysqlClient {
  execute (...values: any[]): unknown
}

/** A value of a statement. */
export type Value = string | null

/** A row, column by column, as text. */
export type Row = Array<string | null>

/** The answer of the server. */
export interface Answer {
  rows: Row[]
  affectedRows: number
  /** Whether the connection was inside a transaction then; undefined: the driver does not say. */
  isInTransaction: boolean | undefined
}

/** A connection of either driver. */
export interface Connection {
  /** The object that stands for this connection, for as long as it lives. */
  readonly id: object
  send (text: string, values: readonly Value[]): Promise<Answer>
  giveBack (): void
  /** Closes it, which rolls back what is open on it. It leaves its pool. */
  destroy (): void
}

/** Where connections come from. */
export interface Source {
  readonly isPool: boolean
  connect (): Promise<Connection>
}

/** How a client of either driver looks like. */
interface Looks {
  execute?: unknown
  getConnection?: unknown
  promise?: unknown
  connection?: unknown
  /** Of the driver mariadb alone: a pool counts its idle connections, a connection tells of its server. */
  idleConnections?: unknown
  info?: { status: number }
}

interface DriverConnection extends Looks {
  execute (statement: object, values: readonly Value[]): Promise<unknown>
  release? (): unknown
  destroy (): void
  /** Of the driver mariadb alone: it closes a connection that does not answer within so many milliseconds. */
  ping (timeout: number): Promise<unknown>
}

// As the server reports it in its answers.
const IN_TRANSACTION = 1
const AUTOCOMMIT = 2

/** Whether a value has the methods of a client. */
export function isClient (candidate: unknown): candidate is MysqlClient {
  return typeof (candidate as Looks | null | undefined)?.execute === 'function'
}

/** Whether a client is a pool: each of its statements may go over another connection. */
export function isPool (client: unknown): boolean {
  return typeof (client as Looks | null | undefined)?.getConnection === 'function'
}

/** What is wrong with a client, as far as it can be told. */
export function flawsOfClient (client: unknown, option: string): Flaw[] {
  return [
    [isPromise(client), `${option} is a promise. Await it.`],
    [
      !isClient(client),
      `${option} must be a Pool or Connection of mysql2, or of the driver mariadb, which have execute(sql, values).`
    ],
    [
      isOfMariadb(client) && Object(client).execute.length > 2,
      `${option} is of the driver mariadb with callbacks. Make it by import * as mariadb from 'mariadb', with promises.`
    ]
  ]
}

/** The connections of a client. */
export function sourceOf (client: MysqlClient): Source {
  const { promise } = client as Looks
  const promised = (typeof promise === 'function' ? promise.call(client) : client) as Looks
  const made = (connection: DriverConnection): Connection =>
    isOfMariadb(connection) ? new MariadbConnection(connection) : new Mysql2Connection(connection)
  if (!isPool(promised)) {
    const connection = made(promised as DriverConnection)
    return { isPool: false, connect: async () => connection }
  }
  const pool = promised as { getConnection (): Promise<DriverConnection> }
  return { isPool: true, connect: async () => made(await pool.getConnection()) }
}

function isOfMariadb (client: unknown): boolean {
  const { idleConnections, info } = Object(client) as Looks
  return typeof idleConnections === 'function' || typeof info?.status === 'number'
}

// A driver makes objects, numbers and dates of columns as the options of the app say. So each statement has options of
// its own: rows are arrays of the bytes that came.
const FORM = { rowsAsArray: true, nestTables: false, namedPlaceholders: false }

interface Field { buffer (): Buffer | null }

class Mysql2Connection implements Connection {
  readonly id: object
  readonly #connection: DriverConnection

  constructor (connection: DriverConnection) {
    this.#connection = connection
    // Each checkout of the pool has a new object with promises around the connection.
    this.id = connection.connection as object
  }

  async send (text: string, values: readonly Value[]): Promise<Answer> {
    const statement = { ...FORM, sql: text, typeCast: (field: Field) => field.buffer() }
    const [result] = await this.#connection.execute(statement, values) as [Result | Buffer[][]]
    return answerOf(result, Array.isArray(result) ? undefined : isOpen(result.serverStatus!))
  }

  giveBack (): void {
    this.#connection.release?.()
  }

  destroy (): void {
    this.#connection.destroy()
  }
}

class MariadbConnection implements Connection {
  readonly id: object
  readonly #connection: DriverConnection
  #isWaiting = false

  constructor (connection: DriverConnection) {
    this.#connection = connection
    this.id = connection.info!
  }

  async send (text: string, values: readonly Value[]): Promise<Answer> {
    const statement = { ...FORM, metaAsArray: false, sql: text, typeCast: (field: Field) => field.buffer() }
    this.#isWaiting = true
    try {
      const result = await this.#connection.execute(statement, values) as Result | Buffer[][]
      // It tells of the last answer, and of a part of one behind an error.
      return answerOf(result, isOpen(this.#connection.info!.status))
    } finally {
      this.#isWaiting = false
    }
  }

  giveBack (): void {
    void this.#connection.release?.()
  }

  // While a statement is under way, the driver sends KILL with the number of this connection over a new one. That one
  // may find another server or one that was started again, where the number is of somebody else or of nobody: an error
  // that ends the process (engine-facts#mariadb-destroy-kills). A ping that does not wait closes the connection alone.
  destroy (): void {
    const connection = this.#connection
    const leave = (): void => { connection.destroy() }
    if (this.#isWaiting) void connection.ping(0).then(leave, leave)
    else leave()
  }
}

interface Result { affectedRows: number, serverStatus?: number }

function answerOf (result: Result | Buffer[][], isInTransaction: boolean | undefined): Answer {
  return Array.isArray(result)
    ? { rows: result.map((row) => row.map((bytes) => bytes?.toString() ?? null)), affectedRows: 0, isInTransaction }
    : { rows: [], affectedRows: Number(result.affectedRows), isInTransaction }
}

// Without autocommit each statement is inside a transaction, be it one that it begins itself.
function isOpen (status: number): boolean {
  return (status & IN_TRANSACTION) !== 0 || (status & AUTOCOMMIT) === 0
}
