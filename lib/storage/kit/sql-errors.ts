import {
  ConstraintError,
  ContentionError,
  InvalidValueError,
  OutcomeUnknownError,
  StorageUnavailableError
} from '../../errors.js'
import { FAULT, storageFault } from './whose-fault.js'

/** The kinds of errors that every SQL server has. The files `faults.ts` of the engines say what they mean. */
export type SqlFault =
  'RETRY' | 'LOCKED' | 'CANCELLED' | 'CONSTRAINT' | 'ROW' | 'MISTAKE' | 'NOT_APPLIED' | 'UNKNOWN'

/**
 * The error of the contract for a write that failed. In a transaction of the app a lock that is not free is contention:
 * the app can only run the transaction again (engine-facts#postgres-aborted-transaction,
 * engine-facts#mariadb-rolled-back-goes-on).
 *
 * @param cause what a log may have of the error; its message begins with the name of the engine
 */
export function sqlWriteError (fault: SqlFault, cause: Error, attempts: number, isInTransaction: boolean): Error {
  switch (fault) {
    case 'RETRY':
      return new ContentionError(attempts, { cause })
    case 'LOCKED':
      return isInTransaction ? new ContentionError(attempts, { cause }) : new StorageUnavailableError({ cause })
    case 'CONSTRAINT':
      return new ConstraintError({ cause })
    case 'ROW':
      return new InvalidValueError(
        cause.message.replace(/^(\w+): /, '$1 says that ').replace(/\. \(/, ' (').replace(/\.$/, ''),
        { cause }
      )
    case 'MISTAKE':
      return storageFault(FAULT.refused, cause)
    case 'CANCELLED':
    case 'NOT_APPLIED':
      return new StorageUnavailableError({ cause })
    case 'UNKNOWN':
      return new OutcomeUnknownError({ cause })
  }
}

/** The same for a read. A read changes nothing, so no outcome is unknown. */
export function sqlReadError (fault: SqlFault, cause: Error, attempts: number): Error {
  switch (fault) {
    case 'RETRY':
      return new ContentionError(attempts, { cause })
    // A value of the statement that the column cannot be compared with.
    case 'ROW':
    case 'MISTAKE':
      return storageFault(FAULT.refused, cause)
    default:
      return new StorageUnavailableError({ cause })
  }
}
