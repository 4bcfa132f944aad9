import { StorageUnavailableError } from '../../errors.js'
import { backOff } from '../kit/backoff.js'
import { explain, faultOf } from './faults.js'

/**
 * How long SQLite itself may wait for a lock, in milliseconds. It waits inside the call, and the event loop with it
 * (E14): most locks are gone sooner, and for the others there is `whenFree`.
 */
export const BUSY_TIMEOUT = 5

const LONGEST_PAUSE = 50

/**
 * Tries until no other connection holds the lock, with pauses in which the event loop runs. Only a step that SQLite
 * refused whole is tried again.
 *
 * @param until when to give up, by the clock of `performance.now()`; there is always one attempt
 * @throws FST_IF_MATCH_STORAGE_UNAVAILABLE if the lock stays taken
 */
export async function whenFree<R> (step: () => R, until: number, attempt = 1): Promise<R> {
  try {
    return step()
  } catch (error) {
    if (faultOf(error) !== 'BUSY') throw error
    if (performance.now() >= until) throw new StorageUnavailableError({ cause: explain(error) })
  }
  await backOff(attempt, LONGEST_PAUSE)
  return await whenFree(step, until, attempt + 1)
}
