import { StorageUnavailableError } from '../../errors.js'
import { backOff } from '../kit/backoff.js'
import { explain, faultKind } from './faults.js'

/**
 * How long SQLite itself may wait for a lock, in milliseconds. It waits inside the call, which stops the event loop
 * (engine-facts#sqlite-busy-timeout-blocks). Most locks are free sooner; `whenFree` waits for the others.
 */
export const BUSY_TIMEOUT = 5

const LONGEST_PAUSE = 50

/**
 * Runs a step, and runs it again while another connection holds the lock. The event loop runs in the pauses. SQLite
 * refuses such a step as a whole, so nothing is done twice.
 *
 * @param until when to give up, as a time of `performance.now()`; the step runs at least once
 * @throws FST_IF_MATCH_STORAGE_UNAVAILABLE if the lock stays taken
 */
export async function whenFree<R> (step: () => R, until: number, attempt = 1): Promise<R> {
  try {
    return step()
  } catch (error) {
    if (faultKind(error) !== 'BUSY') throw error
    if (performance.now() >= until) throw new StorageUnavailableError({ cause: explain(error) })
  }
  await backOff(attempt, LONGEST_PAUSE)
  return await whenFree(step, until, attempt + 1)
}
