import {
  ConstraintError,
  ContentionError,
  InvalidValueError,
  isIfMatchError,
  OutcomeUnknownError,
  StorageUnavailableError
} from '../../errors.js'
import { FAULT, mistakeIn, storageFault } from '../kit/whose-fault.js'
import { explain, faultKind } from './faults.js'
import { metAnotherEntity } from './sql.js'

/**
 * The error of the contract for a write that failed. In a transaction of the app a lock that is not free is contention,
 * and so is a deadlock, which has rolled the transaction back: the app can only run it again
 * (engine-facts#mariadb-rolled-back-goes-on).
 */
export function writeError (error: unknown, attempts: number, isInTransaction: boolean): Error {
  if (isIfMatchError(error)) return error
  const cause = explain(error)
  if (metAnotherEntity(error)) return new ConstraintError({ cause: new Error(OTHER_UNIQUE_KEY) })
  switch (faultKind(error)) {
    case 'RETRY':
      return new ContentionError(attempts, { cause })
    case 'LOCKED':
      return isInTransaction ? new ContentionError(attempts, { cause }) : new StorageUnavailableError({ cause })
    case 'CONSTRAINT':
      return new ConstraintError({ cause })
    case 'ROW':
      return new InvalidValueError(
        cause.message.replace(/^MySQL: /, 'MySQL says that ').replace(/\. \(/, ' (').replace(/\.$/, ''),
        { cause }
      )
    case 'MISTAKE':
      return storageFault(FAULT.refused, cause)
    case 'CANCELLED':
    case 'NOT_APPLIED':
      return new StorageUnavailableError({ cause })
    case 'UNKNOWN':
      return new OutcomeUnknownError({ cause })
    case 'OTHER':
      return mistakeIn(error) === 'code' ? storageFault(FAULT.write, error) : new OutcomeUnknownError({ cause: error })
  }
}

const OTHER_UNIQUE_KEY = 'MySQL: a unique key that was added to the table is taken by another entity.'

/** The error of the contract for a read that failed. A read changes nothing, so no outcome is unknown. */
export function readError (error: unknown, attempts: number): Error {
  if (isIfMatchError(error)) return error
  const cause = explain(error)
  switch (faultKind(error)) {
    case 'RETRY':
      return new ContentionError(attempts, { cause })
    // A value of the statement that the column cannot be compared with.
    case 'ROW':
    case 'MISTAKE':
      return storageFault(FAULT.refused, cause)
    case 'OTHER':
      return mistakeIn(error) === 'code'
        ? storageFault(FAULT.read, error)
        : new StorageUnavailableError({ cause: error })
    default:
      return new StorageUnavailableError({ cause })
  }
}
