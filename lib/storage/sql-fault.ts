import { ContentionError, InvalidValueError, OutcomeUnknownError, StorageUnavailableError } from '../errors.js'
import { faultOf } from './sqlite-fault.js'

// Codes of Node, such as EPIPE, have five letters too: a class of PostgreSQL begins with a digit, or is one of these.
const SQLSTATE = /^(\d[\dA-Z]|F0|HV|P0|XX)[\dA-Z]{3}$/
const REFUSED = 'a column or a constraint of the table refuses it'

/**
 * What an error of PostgreSQL means for a write, by its SQLSTATE: what the server answered with one, it rolled back (E30).
 * Undefined if the answer may be lost: class 08, which poolers give, 40003, and everything without an SQLSTATE that does
 * not come from connecting.
 */
export function sqlStateFault (cause: unknown): Error | undefined {
  const { code, message } = Object(cause) as { code?: unknown, message?: unknown }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || message === 'timeout exceeded when trying to connect') return new StorageUnavailableError({ cause })
  if (typeof code !== 'string' || !SQLSTATE.test(code) || code.startsWith('08') || code === '40003') return undefined
  if (code.startsWith('22') || code.startsWith('23')) return new InvalidValueError(REFUSED, { cause })
  // A serialization failure and a deadlock: others were faster, and nothing is retried inside a transaction (E23).
  if (code === '40001' || code === '40P01') return new ContentionError(1, { cause })
  return new StorageUnavailableError({ cause })
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
