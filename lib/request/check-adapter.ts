import { InvalidAdapterError, isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from '../errors.js'
import { formatEntityTag } from '../http/entity-tag.js'
import { FAULT, isOfApp, mistakeIn, storageFault } from '../storage/kit/whose-fault.js'
import { copyRead } from '../storage/kit/json.js'
import { hasValue, needsNoValue, withoutValue } from '../storage/kit/unless.js'
import type { ReadOptions, RemoveResult, Stored, WriteResult } from '../storage/adapter.js'

const ADVICE = 'Run the conformance suite on it.'

/**
 * The error for a read that failed. An error of this package, and one of the app with a `statusCode` of 400 to 499, is
 * passed on. A mistake in the code of the adapter or in its statement is a fault of the server. Whatever else it throws
 * is an outage, never an absence.
 */
export function readError (cause: unknown): Error {
  if (isPassedOn(cause)) return cause
  const mistake = mistakeIn(cause)
  if (mistake === undefined) return new StorageUnavailableError({ cause })
  return storageFault(mistake === 'code' ? FAULT.read : FAULT.refused, cause)
}

/** The error for a write that failed: as for a read, but whatever else an adapter throws leaves the outcome unknown. */
export function writeError (cause: unknown): Error {
  if (isPassedOn(cause)) return cause
  if (mistakeIn(cause) === undefined) return new OutcomeUnknownError({ cause })
  // What the adapter did before the statement that the engine refused is not known.
  return storageFault(FAULT.write, cause)
}

function isPassedOn (error: unknown): error is Error {
  return isIfMatchError(error) || isOfApp(error)
}

/**
 * Checks what an adapter read, and takes of it what it was asked for. What it gives in place of a value that it was not
 * asked for is no value: an adapter around another one may have made it of nothing.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, FST_IF_MATCH_INVALID_VERSION
 */
export function asAsked<T> (stored: Stored<T> | undefined, unless: ReadOptions['unless']): Stored<T> | undefined {
  assertStored(stored)
  if (stored === undefined) return undefined
  const isSpared = needsNoValue({ unless }, stored.version)
  if (hasValue(stored) !== isSpared) return stored
  if (isSpared) return withoutValue({ version: stored.version, replaced: stored.replaced, digest: stored.digest })
  throw new InvalidAdapterError(`left out a value that it was asked for. ${ADVICE}`)
}

/**
 * Checks what an adapter answered: null would pass for no entity, and a version that cannot be a tag would never match.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, FST_IF_MATCH_INVALID_VERSION
 */
function assertStored (stored: Stored | undefined): void {
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

/**
 * A copy of a value that an adapter gave.
 *
 * @throws FST_IF_MATCH_NOT_JSON: no flaw of it is the client's
 */
export function copyStored<T> (value: T): T {
  return copyRead(value, 'what the storage adapter gave')
}
