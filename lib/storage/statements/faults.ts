import { ContentionError, InvalidValueError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import { explain, faultKind as postgresFaultKind } from '../postgres/faults.js'
import { faultKind } from '../sqlite/faults.js'

const REFUSED = 'a column or a constraint of the table refuses it'

/**
 * The error of the contract for an error of a write to PostgreSQL, by its SQLSTATE: the server rolls back a statement
 * that it answers with one (engine-facts#postgres-sqlstate-is-rollback). The error is FST_IF_MATCH_INVALID_VALUE,
 * FST_IF_MATCH_CONTENTION or FST_IF_MATCH_STORAGE_UNAVAILABLE.
 *
 * Undefined if the answer may be lost: for the SQLSTATEs of poolers and of a server that goes down
 * (engine-facts#postgres-uncertain-sqlstates), and for an error without an SQLSTATE, unless the connection was never
 * made. The server's text may quote stored content, and is not passed on.
 */
export function sqlStateFault (error: unknown): Error | undefined {
  const cause = explain(Object(error))
  switch (postgresFaultKind(Object(error))) {
    case 'ROW':
      return new InvalidValueError(REFUSED, { cause })
    // The client may be inside a transaction, where nothing can be tried again
    // (engine-facts#postgres-aborted-transaction).
    case 'RETRY':
      return new ContentionError(1, { cause })
    case 'LOCKED':
    case 'CANCELLED':
    case 'NOT_APPLIED':
      return new StorageUnavailableError({ cause })
    case 'UNKNOWN':
      return undefined
  }
}

/**
 * The error of the contract for an error of a write to SQLite, by its result code. The error is
 * FST_IF_MATCH_INVALID_VALUE, FST_IF_MATCH_STORAGE_UNAVAILABLE or, if the disk failed, FST_IF_MATCH_OUTCOME_UNKNOWN: a
 * row that can be read may be in the cache alone (engine-facts#sqlite-commit-ioerr). Undefined for any other error.
 */
export function sqliteFault (cause: unknown): Error | undefined {
  switch (faultKind(Object(cause))) {
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
