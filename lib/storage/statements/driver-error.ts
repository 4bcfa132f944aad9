import { isIfMatchError } from '../../errors.js'
import { innerError } from '../kit/inner-error.js'
import { isOfApp } from '../kit/whose-fault.js'
import { wasNotSent as wasNotSentToMysql } from '../mysql/faults.js'
import { wasNotSent as wasNotSentToPostgres } from '../postgres/faults.js'

const MAX_DEPTH = 8

/**
 * The error of the driver, out of the error of an ORM around it. The error of an ORM quotes the statement with its
 * values, which must not reach a log (engine-facts#any-orm-error-quotes-values); the codes that tell what happened are
 * the driver's.
 *
 * An error of the app or of this package is found in the same way, and the search ends there: its cause says less. A
 * driver's error that says that nothing was sent may have a cause itself, which does not say so
 * (engine-facts#pg-connect-timeout-cause): the search ends there, too.
 */
export function driverErrorOf (error: unknown): unknown {
  let found = error
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const inner = innerError(found)
    if (inner === undefined || isIfMatchError(found) || isOfApp(found) || wasNotSent(found)) break
    found = inner
  }
  return found
}

function wasNotSent (error: unknown): boolean {
  return wasNotSentToPostgres(error) || wasNotSentToMysql(error)
}
