import {
  ConstraintError,
  ContentionError,
  InvalidValueError,
  OutcomeUnknownError,
  StorageUnavailableError
} from '../../errors.js'
import { FAULT, mistakeIn, storageFault } from '../kit/whose-fault.js'
import { explain as explainMysql, faultKind as mysqlFaultKind, isOfMysql } from '../mysql/faults.js'
import { explain, faultKind as postgresFaultKind } from '../postgres/faults.js'
import { faultKind } from '../sqlite/faults.js'

const REFUSED = 'a column or a constraint of the table refuses it'

/**
 * The error of the contract for an error of a write to PostgreSQL, by its SQLSTATE: the server rolls back a statement
 * that it answers with one (engine-facts#postgres-sqlstate-is-rollback). The error is FST_IF_MATCH_CONSTRAINT, whose
 * `cause` has the name of the constraint as `constraint`, FST_IF_MATCH_INVALID_VALUE, FST_IF_MATCH_CONTENTION,
 * FST_IF_MATCH_STORAGE_UNAVAILABLE, or FST_IF_MATCH_STORAGE_FAULT for a mistake in the statement, the table or the
 * rights.
 *
 * Undefined if the answer may be lost: for the SQLSTATEs of poolers and of a server that goes down
 * (engine-facts#postgres-uncertain-sqlstates), and for an error without an SQLSTATE, unless the connection was never
 * made. The server's text may quote stored content, and is not passed on.
 */
export function sqlStateFault (error: unknown): Error | undefined {
  const cause = explain(Object(error))
  switch (postgresFaultKind(Object(error))) {
    case 'CONSTRAINT':
      return new ConstraintError({ cause })
    case 'ROW':
      return new InvalidValueError(REFUSED, { cause })
    case 'MISTAKE':
      return storageFault(FAULT.refused, cause)
    // The adapter tries again, unless it is inside a transaction (engine-facts#postgres-aborted-transaction).
    case 'RETRY':
      return new ContentionError(1, { cause })
    case 'LOCKED':
    case 'CANCELLED':
    case 'NOT_APPLIED':
      return new StorageUnavailableError({ cause })
    case 'BUG':
    case 'UNKNOWN':
      return undefined
  }
}

/**
 * The error of the contract for an error of a write to SQLite, by its result code. The error is
 * FST_IF_MATCH_CONSTRAINT, FST_IF_MATCH_INVALID_VALUE, FST_IF_MATCH_STORAGE_UNAVAILABLE, FST_IF_MATCH_STORAGE_FAULT for
 * a mistake in the statement or the table or, if the disk failed, FST_IF_MATCH_OUTCOME_UNKNOWN: a row that can be read
 * may be in the cache alone (engine-facts#sqlite-commit-ioerr). Undefined for any other error.
 */
export function sqliteFault (cause: unknown): Error | undefined {
  switch (faultKind(Object(cause))) {
    case 'CONFLICT':
      return new ConstraintError({ cause })
    case 'MISTAKE':
      return storageFault(FAULT.refused, cause)
    case 'CONSTRAINT':
    case 'TOOBIG':
      return new InvalidValueError(REFUSED, { cause })
    case 'BUSY':
    case 'READONLY':
    case 'FULL':
    case 'CANTOPEN':
    case 'NOTADB':
    case 'CLOSED':
      return new StorageUnavailableError({ cause })
    case 'IOERR':
    case 'CORRUPT':
      return new OutcomeUnknownError({ cause })
    case 'OTHER':
      return undefined
  }
}

/**
 * The error of the contract for an error of a write to MySQL or MariaDB, by its number, with mysql2 and mariadb: InnoDB
 * rolls back a statement that the server answers with an error. The error is FST_IF_MATCH_CONSTRAINT, whose `cause` has
 * the name of the constraint as `constraint`, FST_IF_MATCH_INVALID_VALUE, FST_IF_MATCH_CONTENTION,
 * FST_IF_MATCH_STORAGE_UNAVAILABLE, or FST_IF_MATCH_STORAGE_FAULT for a mistake in the statement, the table or the
 * rights.
 *
 * Undefined if the answer may be lost: for a connection that broke, a server that goes down, and errors of the disk.
 * The text of the server and of the driver quotes content, and is not passed on
 * (engine-facts#mysql-error-quotes-content).
 */
export function mysqlFault (error: unknown): Error | undefined {
  const cause = loggable(error)
  switch (mysqlFaultKind(error)) {
    case 'CONSTRAINT':
      return new ConstraintError({ cause })
    case 'ROW':
      return new InvalidValueError(REFUSED, { cause })
    case 'MISTAKE':
      return storageFault(FAULT.refused, cause)
    // The adapter tries again, unless it is inside a transaction, which is gone
    // (engine-facts#mariadb-rolled-back-goes-on).
    case 'RETRY':
      return new ContentionError(1, { cause })
    case 'LOCKED':
    case 'CANCELLED':
    case 'NOT_APPLIED':
      return new StorageUnavailableError({ cause })
    case 'UNKNOWN':
    case 'OTHER':
      return undefined
  }
}

/**
 * The error of the contract for an error of a write, whichever engine the error is of; undefined if the answer may be
 * lost.
 */
export function engineFault (error: unknown): Error | undefined {
  return isOfMysql(error) ? mysqlFault(error) : sqlStateFault(error) ?? sqliteFault(error)
}

/** An error as a log may have it. Those of the drivers of MySQL quote the statement with its values. */
export function loggable (error: unknown): unknown {
  return isOfMysql(error) ? explainMysql(error) : error
}

/** The error of the contract for an error of a read. A read changes nothing, so no outcome is unknown. */
export function readFault (cause: unknown): Error {
  const error: unknown = Object(cause)
  if (isOfMysql(error)) return readFaultOfMysql(error)
  switch (postgresFaultKind(error)) {
    case 'RETRY':
      return new ContentionError(1, { cause: explain(error) })
    // A key that the column cannot be compared with, which `toId` should have refused.
    case 'ROW':
      return storageFault(FAULT.refused, explain(error))
    default:
      return mistakeFault(cause, FAULT.read) ?? new StorageUnavailableError({ cause })
  }
}

function readFaultOfMysql (error: unknown): Error {
  const cause = loggable(error)
  const kind = mysqlFaultKind(error)
  if (kind === 'RETRY') return new ContentionError(1, { cause })
  const isRefused = kind === 'ROW' || kind === 'MISTAKE'
  return isRefused ? storageFault(FAULT.refused, cause) : new StorageUnavailableError({ cause })
}

/**
 * The error of the contract for a mistake of the server, if an error of a driver or of a statement function tells of
 * one.
 *
 * @param ofCode what to say of a mistake in the code
 */
export function mistakeFault (cause: unknown, ofCode: string): Error | undefined {
  const error: unknown = Object(cause)
  if (isOfMysql(error)) return mysqlFaultKind(error) === 'MISTAKE' ? mysqlFault(error) : undefined
  if (postgresFaultKind(error) === 'MISTAKE') return storageFault(FAULT.refused, explain(error))
  // better-sqlite3 tells of a closed handle by a TypeError.
  if (faultKind(error) === 'CLOSED') return undefined
  const mistake = mistakeIn(error)
  return mistake && storageFault(mistake === 'statement' ? FAULT.refused : ofCode, cause)
}

/** Whether a constraint refused a row: a unique key is taken, or rows refer to each other. */
export function isConstraint (error: unknown): boolean {
  return postgresFaultKind(Object(error)) === 'CONSTRAINT' || faultKind(Object(error)) === 'CONFLICT' ||
    mysqlFaultKind(error) === 'CONSTRAINT'
}

/** The error of the contract for an error of a constraint, if it is one of any engine. */
export function constraintFault (error: unknown): Error | undefined {
  return isConstraint(error) ? engineFault(error) : undefined
}

/** Whether SQLite did nothing, because another connection holds the lock of the file. */
export function isBusy (error: unknown): boolean {
  return faultKind(Object(error)) === 'BUSY'
}

/** Whether the engine did nothing, because a row or a file stayed locked. */
export function isLocked (error: unknown): boolean {
  return isBusy(error) || postgresFaultKind(Object(error)) === 'LOCKED' || mysqlFaultKind(error) === 'LOCKED'
}
