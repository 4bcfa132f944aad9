import { InvalidAdapterError, isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from '../errors.js'
import { formatEntityTag } from '../http/entity-tag.js'
import type { RemoveResult, Stored, WriteResult } from '../storage/adapter.js'

/** The error for a read that failed. What an adapter throws beyond its contract is an outage, never an absence (fail closed). */
export function readFault (cause: unknown): Error {
  return isIfMatchError(cause) ? cause : new StorageUnavailableError({ cause })
}

/** The error for a write that failed. What an adapter throws beyond its contract leaves the outcome unknown (R59). */
export function writeFault (cause: unknown): Error {
  return isIfMatchError(cause) ? cause : new OutcomeUnknownError({ cause })
}

/**
 * Checks what an adapter read: a version that cannot be a tag would count as one that never matches, or as no entity.
 *
 * @throws FST_IF_MATCH_INVALID_VERSION
 */
export function checkStored (stored: Stored | undefined): void {
  if (stored === null) { throw new InvalidAdapterError('answered null where the contract has undefined. Run the conformance suite on it.') }
  if (stored !== undefined) formatEntityTag(stored.version)
}

/**
 * Checks what an adapter answered to a write.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, FST_IF_MATCH_INVALID_VERSION
 */
export function checkOutcome (result: WriteResult | RemoveResult): void {
  if (typeof result?.applied !== 'boolean') { throw new InvalidAdapterError('answered a write with neither applied nor refused. Run the conformance suite on it.') }
  if (!result.applied) checkStored(result.current)
}
