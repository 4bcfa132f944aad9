import { ConstraintError, isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import { sqlReadError, sqlWriteError } from '../kit/sql-errors.js'
import { FAULT, mistakeIn, storageFault } from '../kit/whose-fault.js'
import { explain, faultKind } from './faults.js'
import { metAnotherEntity } from './sql.js'

const OTHER_UNIQUE_KEY = 'MySQL: a unique key that was added to the table is taken by another entity.'

/**
 * The error of the contract for a write that failed. In a transaction of the app a lock that is not free is contention,
 * and so is a deadlock, which has rolled the transaction back: the app can only run it again
 * (engine-facts#mariadb-rolled-back-goes-on).
 */
export function writeError (error: unknown, attempts: number, isInTransaction: boolean): Error {
  if (isIfMatchError(error)) return error
  if (metAnotherEntity(error)) return new ConstraintError({ cause: new Error(OTHER_UNIQUE_KEY) })
  const fault = faultKind(error)
  if (fault !== 'OTHER') return sqlWriteError(fault, explain(error), attempts, isInTransaction)
  return mistakeIn(error) === 'code' ? storageFault(FAULT.write, error) : new OutcomeUnknownError({ cause: error })
}

/** The error of the contract for a read that failed. A read changes nothing, so no outcome is unknown. */
export function readError (error: unknown, attempts: number): Error {
  if (isIfMatchError(error)) return error
  const fault = faultKind(error)
  if (fault !== 'OTHER') return sqlReadError(fault, explain(error), attempts)
  return mistakeIn(error) === 'code' ? storageFault(FAULT.read, error) : new StorageUnavailableError({ cause: error })
}
