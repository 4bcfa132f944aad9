import { neverConnected } from '../kit/never-connected.js'
import { sqlReadError, sqlWriteError, type SqlFault } from '../kit/sql-errors.js'
import { FAULT, mistakeIn, storageFault, withFramesOf } from '../kit/whose-fault.js'

/**
 * The kind of an error.
 *
 * - `RETRY`: a serialization failure or a deadlock; everything was rolled back
 *   (engine-facts#postgres-serialization-failure)
 * - `LOCKED`: a lock was not free within `lock_timeout`
 * - `CANCELLED`: cancelled by `statement_timeout` or `pg_cancel_backend`
 * - `CONSTRAINT`: a unique key is taken, or rows refer to each other
 * - `ROW`: the table or PostgreSQL refuses this one row for its content
 * - `MISTAKE`: the statement, the table or the rights are not as they must be; nothing was carried out (decision 0018)
 * - `BUG`: JavaScript failed, and the statement may have been carried out
 * - `NOT_APPLIED`: any other error that certainly left nothing
 * - `UNKNOWN`: the statement may have been carried out
 */
export type PostgresFault = SqlFault | 'BUG'

/** A statement was certainly not sent. The cause, if there is one, is the error with which a driver did not connect. */
export class NotSentError extends Error {
  /** That of the cause: an SQLSTATE says why the server did not let the driver in. */
  readonly code = Object(this.cause).code as unknown
}

/** A statement was carried out inside a transaction that somebody else began on its connection. */
export class JoinedTransactionError extends Error {
  constructor () {
    super(
      'PostgreSQL: the statement became part of a transaction that the app began on the same connection. ' +
        'Await each BEGIN, and end each transaction before its client is released.'
    )
  }
}

// Some codes of Node.js have five letters, too (engine-facts#node-error-codes-like-sqlstates). A class of PostgreSQL
// begins with a digit, or is one of these four.
const SQLSTATE = /^(\d[\dA-Z]|F0|HV|P0|XX)[\dA-Z]{3}$/

// The function of the server that a RAISE of a trigger comes from: its SQLSTATE may be one of the app.
const RAISE = 'exec_stmt_raise'

const RETRY = /^(40001|40P01)$/

// RESTRICT, foreign keys, unique keys, exclusion.
const CONSTRAINT = /^(23001|23503|23505|23P01)$/

// Data, other constraints, WITH CHECK OPTION, program limits, RAISE of a trigger.
const ROW = /^(22|23|44|54|P0)/

// SQLSTATEs that are no rollback (engine-facts#postgres-uncertain-sqlstates): a broken connection, as a pooler reports
// it (08); a server that goes down, maybe after the commit (57P01, 57P02); a disk that failed in the commit, or a
// damaged server (58, XX, F0); a distributed engine that cannot tell (40003).
const UNKNOWN = /^(08|58|XX|F0|40003|57P01|57P02)/

// How the messages of drivers begin that had no connection, and so sent nothing (engine-facts#pg-not-sent-errors).
const NOT_SENT = [
  'timeout exceeded when trying to connect',
  'Connection terminated due to connection timeout',
  'timeout expired',
  'Cannot use a pool after calling end on the pool',
  'PGlite is closed'
]
const NOT_QUERYABLE = /^Client (was closed|has encountered a connection error) and is not queryable$/

const MEANING: ReadonlyArray<[pattern: RegExp, meaning: string]> = [
  [RETRY, 'another transaction was in the way.'],
  [/^55P03/, 'a row stayed locked for too long. Look for a transaction that somebody left open.'],
  [/^22/, 'the column does not take the value.'],
  [CONSTRAINT, 'a unique key is taken, or rows refer to each other.'],
  [/^(23|44|P0)/, 'a constraint or a trigger of the table refused the row.'],
  [/^54/, 'the value is larger than PostgreSQL takes.'],
  [/^57014/, 'the statement was cancelled, or ran into statement_timeout.'],
  [/^57P0[123]/, 'the server is starting or going down.'],
  [/^53300/, 'the server has too many connections. Make the pools smaller, or use a pooler.'],
  [/^53/, 'the server has run out of disk, memory or another resource.'],
  [/^28/, 'the server does not accept the user or the password.'],
  [/^3D/, 'there is no such database.'],
  [/^42P01/, 'the table is not there.'],
  [
    /^42501/,
    'the user may not do this: GRANT SELECT, INSERT, UPDATE, DELETE on the table, and USAGE on its schema. ' +
      'Or row-level security refuses the row.'
  ],
  [/^(0A|21|26|3F|42|55000|08P01)/, 'the statement is wrong, or the table is not as it expects.'],
  [/^25006/, 'the server is read only, as a standby is. Connect to the primary.'],
  [/^25P02/, 'the transaction of "context" has failed before. Roll it back.']
]

function sqlStateOf (error: unknown): string | undefined {
  const { code, routine } = Object(error) as { code?: unknown, routine?: unknown }
  return typeof code === 'string' && (SQLSTATE.test(code) || routine === RAISE) ? code : undefined
}

/** The kind of an error of a driver. */
export function faultKind (error: unknown): PostgresFault {
  if (error instanceof NotSentError) return 'NOT_APPLIED'
  const state = sqlStateOf(error)
  if (state === undefined) {
    if (wasNotSent(error)) return 'NOT_APPLIED'
    return mistakeIn(error) === 'code' ? 'BUG' : 'UNKNOWN'
  }
  if (RETRY.test(state)) return 'RETRY'
  if (state === '55P03') return 'LOCKED'
  if (state === '57014') return 'CANCELLED'
  if (CONSTRAINT.test(state)) return 'CONSTRAINT'
  // FATAL ends the session: what the server does not take is a setting of the connection.
  if (ROW.test(state) && (error as { severity?: unknown }).severity === 'FATAL') return 'NOT_APPLIED'
  if (ROW.test(state) || !SQLSTATE.test(state)) return 'ROW'
  if (mistakeIn(error) === 'statement' || hasWrongParameters(error)) return 'MISTAKE'
  return UNKNOWN.test(state) ? 'UNKNOWN' : 'NOT_APPLIED'
}

// 08P01 of the server itself, ahead of the statement, and not of a pooler that lost it
// (engine-facts#postgres-wrong-parameters).
function hasWrongParameters (error: unknown): boolean {
  return sqlStateOf(error) === '08P01' && (error as { routine?: unknown }).routine === 'exec_bind_message'
}

/** Whether a driver says that it sent nothing, because it had no connection. */
export function wasNotSent (error: unknown): boolean {
  if (error instanceof NotSentError) return true
  if (neverConnected(error)) return true
  const text = String((Object(error) as { message?: unknown }).message)
  return NOT_SENT.some((beginning) => text.startsWith(beginning)) || NOT_QUERYABLE.test(text)
}

/** Whether the server carried out nothing, because a transaction on the connection has failed before. */
export function isRefusedByTransaction (error: unknown): boolean {
  return sqlStateOf(error) === '25P02'
}

/**
 * Whether a prepared statement was not found, or was there already. The server says so before it runs anything
 * (engine-facts#pgbouncer-prepared-statements).
 */
export function isUnknownStatement (error: unknown): boolean {
  return ['26000', '42P05'].includes(String(sqlStateOf(error)))
}

/**
 * An error for the log: it says what happened and what to do. The text of the server may quote stored content or
 * parameters (engine-facts#postgres-error-quotes-content), so only its SQLSTATE is passed on, and the name of the
 * constraint. The text about a mistake names tables and columns alone, and is passed on, with the place in the code. An
 * error of the driver becomes the cause.
 */
export function explain (error: unknown): Error {
  if (error instanceof JoinedTransactionError) return error
  const state = sqlStateOf(error)
  if (state === undefined) {
    return new Error(
      `PostgreSQL: ${wasNotSent(error) ? 'no connection could be had' : 'the connection was lost, or no answer came'}.`,
      { cause: error }
    )
  }
  const otherwise = SQLSTATE.test(state)
    ? 'the server reports an error. Its log says more.'
    : 'a trigger of the table refused the row.'
  const meaning = MEANING.find(([pattern]) => pattern.test(state))?.[1] ?? otherwise
  const text = `PostgreSQL: ${meaning} (SQLSTATE ${state})`
  if (faultKind(error) === 'MISTAKE') return withFramesOf(error, `${text}${namesIn(error)}`)
  const constraint = constraintOf(error)
  return Object.assign(new Error(text), constraint !== undefined && { constraint })
}

// The text quotes the statement for a syntax error, and whatever a function says where there is a context.
function namesIn (error: unknown): string {
  const { code, where, message } = error as { code?: unknown, where?: unknown, message?: unknown }
  return code === '42601' || where !== undefined ? '' : `: ${String(message)}`
}

// pg and PGlite call it `constraint`, postgres.js `constraint_name`.
function constraintOf (error: unknown): string | undefined {
  const { constraint, constraint_name: name } = error as Record<string, unknown>
  return [constraint, name].find((found) => typeof found === 'string')
}

/**
 * An error for the log, about the boot. It has the text of the driver as well: which address refused, that the server
 * has no TLS, that a password is missing. No content is sent at boot, so the text cannot quote any.
 */
export function explainBoot (error: unknown): Error {
  const explained = explain(error)
  if (sqlStateOf(error) !== undefined) return explained
  const { message, code } = Object(error) as { message?: unknown, code?: unknown }
  // The error of a host with several addresses has a code, and no message (engine-facts#node-aggregate-error).
  return new Error(`${explained.message.replace(/\.$/, '')}: ${String(message || code)}`, { cause: error })
}

/**
 * The error of the contract for a write that failed. In a transaction of the app a lock that is not free is contention:
 * the transaction has failed, and the app can only run it again (engine-facts#postgres-aborted-transaction).
 */
export function writeError (error: unknown, attempts: number, isInTransaction: boolean): Error {
  const fault = faultKind(error)
  if (fault === 'BUG') return storageFault(FAULT.write, error)
  return sqlWriteError(fault, explain(error), attempts, isInTransaction)
}

/** The error of the contract for a read that failed. A read changes nothing, so no outcome is unknown. */
export function readError (error: unknown, attempts: number): Error {
  const fault = faultKind(error)
  return fault === 'BUG' ? storageFault(FAULT.read, error) : sqlReadError(fault, explain(error), attempts)
}
