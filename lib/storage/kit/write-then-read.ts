import { ContentionError } from '../../errors.js'
import type { Expectation, Refused, Stored } from '../adapter.js'
import { backOff } from './backoff.js'
import { satisfies } from './expectation.js'

const ATTEMPTS = 16
const LONGEST_PAUSE = 32

/**
 * The loop for engines that cannot change an entity and tell what stood in the way in one step, such as SQL tables
 * (engine-facts#any-engine-write-then-read). It writes. If nothing matched, it reads. If the entity that it reads
 * satisfies the expectation, another writer came in between, and it begins again, after a short pause of random length.
 * So the `current` of a refusal never satisfies the expectation that was refused.
 *
 * @param write compares and acts in one atomic step: the result of a write that was applied, or undefined if the engine
 *   is certain that nothing matched and nothing was changed. `attempt` counts from 1
 * @param readCurrent reads the entity as it is after the write was tried; a snapshot from before it is not enough
 * @returns what `write` gave, or the refusal
 * @throws FST_IF_MATCH_CONTENTION (503) if other writers came in between in 16 attempts
 * @example
 * return await writeThenRead(
 *   expectation,
 *   async () => (await update(row)) === 1 ? { applied: true, version: row.version, created: false } : undefined,
 *   async () => await read(key)
 * )
 */
export async function writeThenRead<T, A extends { applied: true }> (
  expectation: Expectation,
  write: (attempt: number) => Promise<A | undefined>,
  readCurrent: () => Promise<Stored<T> | undefined>
): Promise<A | Refused<T>> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) await backOff(attempt - 1, LONGEST_PAUSE)
    const result = await write(attempt)
    if (result !== undefined) return result
    const current = await readCurrent()
    if (!satisfies(expectation, current?.version)) return { applied: false, current }
  }
  throw new ContentionError(ATTEMPTS)
}
