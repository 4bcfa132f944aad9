import { OutcomeUnknownError } from '../../errors.js'
import type { Expectation, Stored, WriteResult } from '../adapter.js'

/**
 * For a write whose answer was lost (E2). A look at the entity can prove that it was applied, because the write carried
 * its own version. Nothing can prove that it was not: the engine may still be at it.
 *
 * @param version the one that the write carried
 * @param look reads the entity; bounded in time by whoever passes it
 * @param cause what happened instead of an answer
 * @throws FST_IF_MATCH_OUTCOME_UNKNOWN unless it is proven
 */
export async function provenApplied<T> (
  version: string, expectation: Expectation, look: () => Promise<Stored<T> | undefined>, cause: unknown
): Promise<Extract<WriteResult<T>, { applied: true }>> {
  const current = await look().catch(() => undefined)
  const created = current?.version === version
    ? current.replaced === undefined
    : current?.replaced === version ? createdUnder(expectation) : undefined
  if (created === undefined) throw new OutcomeUnknownError({ cause })
  return { applied: true, version, created }
}

// Somebody replaced what was written, and only the expectation tells what was there before.
function createdUnder (expectation: Expectation): boolean | undefined {
  return expectation.kind === 'any' ? undefined : expectation.kind === 'absent'
}
