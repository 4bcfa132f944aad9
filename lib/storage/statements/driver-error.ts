import { wasNotSent } from '../postgres/faults.js'

const MAX_DEPTH = 8

/**
 * The error of the driver inside the one of an ORM. Theirs quote the statement with its values, which belong in no log;
 * the codes that tell what happened are the driver's. One that says that nothing was sent may have a cause itself, which
 * alone would leave that open.
 */
export function driverErrorOf (error: unknown): unknown {
  let found = error
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const { driverError, cause } = Object(found) as { driverError?: unknown, cause?: unknown }
    const inner = driverError ?? cause ?? undefined
    if (inner === undefined || wasNotSent(found)) break
    found = inner
  }
  return found
}
