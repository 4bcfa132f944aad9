import { InvalidAdapterError, isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from '../errors.js'
import { formatEntityTag } from '../http/entity-tag.js'
import type { RemoveResult, Stored, WriteResult } from '../storage/adapter.js'

const ADVICE = 'Run the conformance suite on it.'

/** The error for a read that failed. Whatever an adapter throws beyond its contract is an outage, never an absence. */
export function readError (cause: unknown): Error {
  return isIfMatchError(cause) ? cause : new StorageUnavailableError({ cause })
}

/** The error for a write that failed. Whatever an adapter throws beyond its contract leaves the outcome unknown. */
export function writeError (cause: unknown): Error {
  return isIfMatchError(cause) ? cause : new OutcomeUnknownError({ cause })
}

/**
 * Checks what an adapter read: null would pass for no entity, and a version that cannot be a tag would never match.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, FST_IF_MATCH_INVALID_VERSION
 */
export function assertStored (stored: Stored | undefined): void {
  if (stored === null) throw new InvalidAdapterError(`answered null where the contract has undefined. ${ADVICE}`)
  if (stored !== undefined) formatEntityTag(stored.version)
}

/**
 * Checks what an adapter answered to a write or a removal.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, FST_IF_MATCH_INVALID_VERSION
 */
export function assertOutcome (result: WriteResult | RemoveResult): void {
  if (typeof result?.applied !== 'boolean') {
    throw new InvalidAdapterError(`answered a write with neither applied nor refused. ${ADVICE}`)
  }
  if (!result.applied) assertStored(result.current)
}
