import { ContentionError, isIfMatchError } from '../../errors.js'
import type { ReadOptions } from '../adapter.js'
import { backOff } from '../kit/backoff.js'
import { throwIfStopped } from '../kit/stop.js'
import { isOfApp } from '../kit/whose-fault.js'
import { driverErrorOf } from './driver-error.js'
import { isBusy, isLocked, loggable } from './faults.js'

const ATTEMPTS = 16
const LONGEST_PAUSE = 64

// SQLite may itself have waited for the lock before it said that it is busy, and may have held up the event loop, so
// the time counts as well (engine-facts#sqlite-busy-timeout-blocks). In milliseconds.
const PATIENCE = 5000

/**
 * Sends a statement, and sends it again while the engine says that others were in its way and that nothing was applied:
 * a serialization failure, a deadlock, the lock of SQLite. Inside a transaction nothing can be tried again
 * (engine-facts#postgres-aborted-transaction).
 *
 * @param faultOf the error of the contract for an error of the driver; undefined if the answer may be lost
 * @param ifLost what comes of a statement whose answer may be lost; needed if `faultOf` may give undefined
 * @throws what is of the app, as it is; FST_IF_MATCH_CONTENTION; what `faultOf` gives
 */
export async function sent<R> (
  statement: () => R | Promise<R>,
  options: ReadOptions | undefined,
  faultOf: (error: unknown) => Error | undefined | Promise<Error | undefined>,
  ifLost?: (error: unknown) => Promise<R>
): Promise<R> {
  const isInTransaction = options?.context !== undefined
  const end = performance.now() + PATIENCE
  let attempt = 0
  while (true) {
    attempt++
    throwIfStopped(options)
    try {
      return await statement()
    } catch (thrown) {
      const error = driverErrorOf(thrown)
      if (isIfMatchError(error) || isOfApp(error)) throw error
      const fault = await faultOf(error)
      if (fault === undefined) return await ifLost!(loggable(error))
      const { cause } = fault
      const code = isIfMatchError(fault) ? fault.code : undefined
      const isContention = code === 'FST_IF_MATCH_CONTENTION'
      const waitsForLock = code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE' && isLocked(error)
      if (isInTransaction && (isContention || waitsForLock)) throw new ContentionError(1, { cause })
      const mayTryAgain = isContention || (waitsForLock && isBusy(error))
      if (!mayTryAgain || attempt === ATTEMPTS || performance.now() >= end) {
        throw isContention ? new ContentionError(attempt, { cause }) : fault
      }
    }
    await backOff(attempt, LONGEST_PAUSE)
  }
}
