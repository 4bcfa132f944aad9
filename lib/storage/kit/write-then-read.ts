import { ContentionError, StorageFaultError } from '../../errors.js'
import type { Expectation, Refused, Stored } from '../adapter.js'
import { backOff } from './backoff.js'
import { satisfies } from './expectation.js'
import { FAULT, isOfConstraint } from './whose-fault.js'

const ATTEMPTS = 16
const LONGEST_PAUSE = 32

// A version never comes back. Where one read after the other shows the same, nobody wrote between them, and the write
// there did nothing for a reason of its own. A read that is a little late, as from a replica, may show one twice.
const READS_OF_ONE_VERSION = 4

// A creation may meet the unique value in the row of the same entity, which another writer removed before the read. It
// is as good as impossible that this happens four times in a row.
const MEETINGS_OF_CREATION = 4

/**
 * The loop for engines that cannot change an entity and tell what stood in the way in one step, such as SQL tables
 * (engine-facts#any-engine-write-then-read). It writes. If nothing matched, it reads. If the entity that it reads
 * satisfies the expectation, another writer came in between, and it begins again, after a short pause of random length.
 * So the `current` of a refusal never satisfies the expectation that was refused.
 *
 * A constraint that refused the write (FST_IF_MATCH_CONSTRAINT) may be that of the row which another writer made of the
 * same entity, so the entity is read then, too: what does not satisfy the expectation any more is a refusal.
 *
 * @param write compares and acts in one atomic step: the result of a write that was applied, or undefined if the engine
 *   is certain that nothing matched and nothing was changed. `attempt` counts from 1
 * @param readCurrent reads the entity as it is after the write was tried; a snapshot from before it is not enough
 * @returns what `write` gave, or the refusal
 * @throws FST_IF_MATCH_CONTENTION (503) if other writers came in between in 16 attempts; FST_IF_MATCH_STORAGE_FAULT
 *   (500) if the entity stayed as the expectation has it, and the write did nothing all the same
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
  let last: string | undefined
  let reads = 0
  let meetings = 0
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) await backOff(attempt - 1, LONGEST_PAUSE)
    try {
      const result = await write(attempt)
      if (result !== undefined) return result
    } catch (error) {
      if (!isOfConstraint(error)) throw error
      // In a transaction that the constraint ended, nothing can be read (engine-facts#postgres-aborted-transaction).
      const current = await readCurrent().catch(() => { throw error })
      if (!satisfies(expectation, current?.version)) return { applied: false, current }
      const mayCreate = expectation.kind === 'absent' || expectation.kind === 'any'
      if (!mayCreate || ++meetings === MEETINGS_OF_CREATION) throw error
      continue
    }
    const current = await readCurrent()
    if (!satisfies(expectation, current?.version)) return { applied: false, current }
    reads = current?.version === last && reads > 0 ? reads + 1 : 1
    last = current?.version
    if (last !== undefined && reads === READS_OF_ONE_VERSION) throw new StorageFaultError(FAULT.nothing)
  }
  // An absence has no version, so others may have created and removed the entity between two reads. That this happened
  // between all of them is as good as impossible, with pauses of random length.
  throw reads === ATTEMPTS ? new StorageFaultError(FAULT.nothing) : new ContentionError(ATTEMPTS)
}
