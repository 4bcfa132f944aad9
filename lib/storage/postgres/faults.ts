import { ContentionError, InvalidValueError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'

/**
 * What went wrong, as far as it makes a difference.
 *
 * - `RETRY`: others were in the way, and everything was rolled back (E23)
 * - `LOCKED`: a lock was not free in time
 * - `CANCELLED`: it took too long for `statement_timeout`, or somebody had enough of it
 * - `ROW`: the table, or PostgreSQL itself, cannot take this one row
 * - `NOT_APPLIED`: anything else that certainly left nothing
 * - `UNKNOWN`: the statement may have been carried out
 */
export type PostgresFault = 'RETRY' | 'LOCKED' | 'CANCELLED' | 'ROW' | 'NOT_APPLIED' | 'UNKNOWN'

// Node's own codes have five letters, too, such as EPIPE and E2BIG: a class of PostgreSQL begins with a digit, or is one of these.
const SQLSTATE = /^(\d[\dA-Z]|F0|HV|P0|XX)[\dA-Z]{3}$/

// Serialization failure and deadlock.
const RETRY = /^(40001|40P01)$/

// Data, constraints, WITH CHECK OPTION, program limits, RAISE of a trigger.
const ROW = /^(22|23|44|54|P0)/

// Answers that are no rollback: of a connection that broke, which poolers report so as well (08); after the commit, or
// while the server goes down (57P01, 57P02); of a disk that failed in the commit, or a server in disorder (58, XX, F0);
// of a distributed engine that cannot tell (40003).
const UNKNOWN = /^(08|58|XX|F0|40003|57P01|57P02)/

// What drivers reject with when nothing was sent (E30).
const NOT_SENT =
  /^(timeout exceeded when trying to connect|Connection terminated due to connection timeout|timeout expired|Cannot use a pool after calling end on the pool|PGlite is closed)|^Client (was closed|has encountered a connection error) and is not queryable$/

const MEANING: ReadonlyArray<[pattern: RegExp, meaning: string]> = [
  [RETRY, 'another transaction was in the way.'],
  [/^55P03/, 'a row stayed locked for too long. Look for a transaction that somebody left open.'],
  [/^22/, 'the column does not take the value.'],
  [/^(23|44|P0)/, 'a constraint or a trigger of the table refused the row.'],
  [/^54/, 'the value is larger than PostgreSQL takes.'],
  [/^57014/, 'the statement was cancelled, or ran into statement_timeout.'],
  [/^57P0[123]/, 'the server is starting or going down.'],
  [/^53300/, 'the server has too many connections. Make the pools smaller, or use a pooler.'],
  [/^53/, 'the server has run out of disk, memory or another resource.'],
  [/^28/, 'the server does not accept the user or the password.'],
  [/^3D/, 'there is no such database.'],
  [/^42P01/, 'the table is not there.'],
  [/^42501/, 'the user may not do this: GRANT SELECT, INSERT, UPDATE, DELETE on the table, and USAGE on its schema.'],
  [/^25006/, 'the server is read only, as a standby is. Connect to the primary.'],
  [/^25P02/, 'the transaction of "context" has failed before. Roll it back.']
]

function sqlStateOf (error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && SQLSTATE.test(code) ? code : undefined
}

/** What an error of a driver says. */
export function faultOf (error: unknown): PostgresFault {
  const state = sqlStateOf(error)
  if (state === undefined) return wasNotSent(error) ? 'NOT_APPLIED' : 'UNKNOWN'
  if (RETRY.test(state)) return 'RETRY'
  if (state === '55P03') return 'LOCKED'
  if (state === '57014') return 'CANCELLED'
  if (ROW.test(state)) return 'ROW'
  return UNKNOWN.test(state) ? 'UNKNOWN' : 'NOT_APPLIED'
}

/** Whether a driver says that nothing was sent, because it had no connection (E30). */
export function wasNotSent (error: unknown): boolean {
  const { syscall, message, errors } = Object(error) as { syscall?: unknown, message?: unknown, errors?: unknown }
  // One for each address of the host. A list without one says nothing.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(wasNotSent)
  return syscall === 'connect' || syscall === 'getaddrinfo' || NOT_SENT.test(String(message))
}

/** Whether a named statement was not found, or was there already: said before anything runs (E27). */
export function isUnknownStatement (error: unknown): boolean {
  return ['26000', '42P05'].includes(String(sqlStateOf(error)))
}

/**
 * An error for the log: what happened, and what to do about it. What the server says beside its code may quote stored
 * content, or the parameters, so it is not passed on; an error of the driver is, as the cause.
 */
export function explain (error: unknown): Error {
  const state = sqlStateOf(error)
  if (state === undefined) {
    return new Error(
      `PostgreSQL: ${wasNotSent(error) ? 'no connection could be had' : 'the connection was lost, or no answer came'}.`,
      { cause: error }
    )
  }
  const meaning =
    MEANING.find(([pattern]) => pattern.test(state))?.[1] ?? 'the server reports an error. Its log says more.'
  return new Error(`PostgreSQL: ${meaning} (SQLSTATE ${state})`)
}

/**
 * The same for the boot, with what the driver itself says: which address refused, that there is no TLS, no password.
 * Nothing that is sent at boot is content, so there is none to quote.
 */
export function explainBoot (error: unknown): Error {
  const explained = explain(error)
  if (sqlStateOf(error) !== undefined) return explained
  const { message, code } = Object(error) as { message?: unknown, code?: unknown }
  // What fails at several addresses of a name has a code, and no message of its own.
  return new Error(`${explained.message.replace(/\.$/, '')}: ${String(message || code)}`, { cause: error })
}

/** The error of the contract for a write that failed. In a transaction of the app nothing can be tried again (E23). */
export function writeError (error: unknown, attempts: number, isInTransaction: boolean): Error {
  const cause = explain(error)
  switch (faultOf(error)) {
    case 'RETRY':
      return new ContentionError(attempts, { cause })
    case 'LOCKED':
      return isInTransaction ? new ContentionError(attempts, { cause }) : new StorageUnavailableError({ cause })
    case 'ROW':
      return new InvalidValueError(
        cause.message.replace(/^PostgreSQL: /, 'PostgreSQL says that ').replace(/\. \(/, ' (')
      )
    case 'CANCELLED':
    case 'NOT_APPLIED':
      return new StorageUnavailableError({ cause })
    case 'UNKNOWN':
      return new OutcomeUnknownError({ cause })
  }
}

/** The error of the contract for a read that failed: it changed nothing, so there is nothing unknown. */
export function readError (error: unknown, attempts: number): Error {
  const cause = explain(error)
  return faultOf(error) === 'RETRY' ? new ContentionError(attempts, { cause }) : new StorageUnavailableError({ cause })
}
