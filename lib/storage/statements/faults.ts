import { ContentionError, InvalidValueError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import { explain, faultOf as postgresFaultOf } from '../postgres/faults.js'
import { faultOf } from '../sqlite/faults.js'

const REFUSED = 'a column or a constraint of the table refuses it'

/**
 * What an error of PostgreSQL means for a write, by its SQLSTATE: what the server answered with one, it rolled back (E30).
 * Undefined if the answer may be lost: what poolers and a server that goes down say, and everything without an SQLSTATE
 * that does not come from connecting. What the server says beside its code may quote stored content, and is not passed on.
 */
export function sqlStateFault (error: unknown): Error | undefined {
  const cause = explain(Object(error))
  switch (postgresFaultOf(Object(error))) {
    case 'ROW':
      return new InvalidValueError(REFUSED, { cause })
    // Others were faster, and nothing is retried inside a transaction (E23).
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
 * What an error of SQLite means for a write, by its result code (E16). Of a disk that fails nothing is certain, not even
 * with the row in sight: it may be in the cache alone. Undefined for what is not known here.
 */
export function sqliteFault (cause: unknown): Error | undefined {
  switch (faultOf(Object(cause))) {
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
