import { ContentionError } from '../../errors.js'
import type { Expectation, Refused, Stored } from '../adapter.js'
import { backOff } from './backoff.js'
import { satisfies } from './expectation.js'

const ATTEMPTS = 16
const LONGEST_PAUSE = 32

/**
 * For engines that cannot change an entity and say what stood in the way in one step (E1): writes; if nothing matched,
 * looks; if what is there would have matched, another writer was in between, and both are done again. So the `current`
 * of a refusal never satisfies the expectation that was refused.
 *
 * @param write undefined: the engine is certain that nothing matched, and nothing was changed
 * @param look reads the entity as it is after the write was tried
 * @throws FST_IF_MATCH_CONTENTION if others were in between each time
 */
export async function writeThenRead<T, A extends { applied: true }> (
  expectation: Expectation, write: () => Promise<A | undefined>, look: () => Promise<Stored<T> | undefined>
): Promise<A | Refused<T>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await backOff(attempt, LONGEST_PAUSE)
    const result = await write()
    if (result !== undefined) return result
    const current = await look()
    if (!satisfies(expectation, current?.version)) return { applied: false, current }
  }
  throw new ContentionError(ATTEMPTS)
}
