import { OutcomeUnknownError } from '../../errors.js'
import type { Expectation, Stored, WriteResult } from '../adapter.js'

/**
 * Reads the entity after the answer to a write was lost. The write carried its own version, so an entity that has it
 * proves that the write was applied (engine-facts#any-engine-version-proves-write). Nothing can prove that it was not
 * applied: the engine may still carry it out.
 *
 * @param version the version that the write carried
 * @param readCurrent reads the entity; the caller bounds how long that may take
 * @param cause what happened instead of an answer
 * @throws FST_IF_MATCH_OUTCOME_UNKNOWN unless it is proven
 */
export async function provenApplied<T> (
  version: string,
  expectation: Expectation,
  readCurrent: () => Promise<Stored<T> | undefined>,
  cause: unknown
): Promise<Extract<WriteResult<T>, { applied: true }>> {
  const current = await readCurrent().catch(() => undefined)
  const created = current?.version === version
    ? current.replaced === undefined
    : current?.replaced === version ? createdUnder(expectation) : undefined
  if (created === undefined) throw new OutcomeUnknownError({ cause })
  return { applied: true, version, created }
}

// Another writer replaced the entity since. Only the expectation tells whether there was one before this write.
function createdUnder (expectation: Expectation): boolean | undefined {
  return expectation.kind === 'any' ? undefined : expectation.kind === 'absent'
}
