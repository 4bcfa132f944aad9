import { InvalidAdapterError, isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from './errors.js'
import { formatEntityTag } from './entity-tag.js'
import type { Refused, Stored } from './storage/adapter.js'

/** Awaits a read. What an adapter throws beyond its contract is an outage, never an absence (fail closed). */
export async function awaitRead<T> (reading: () => Promise<Stored<T> | undefined>): Promise<Stored<T> | undefined> {
  let stored: Stored<T> | undefined
  try {
    stored = await reading()
  } catch (cause) {
    throw isIfMatchError(cause) ? cause : new StorageUnavailableError({ cause })
  }
  return checked(stored)
}

/** Awaits a write or a removal. What an adapter throws beyond its contract leaves the outcome unknown (R59). */
export async function awaitWrite<T, R extends { applied: true }> (writing: () => Promise<R | Refused<T>>): Promise<R | Refused<T>> {
  let result: R | Refused<T>
  try {
    result = await writing()
  } catch (cause) {
    throw isIfMatchError(cause) ? cause : new OutcomeUnknownError({ cause })
  }
  if (typeof result?.applied !== 'boolean') throw new InvalidAdapterError('answered a write with neither applied nor refused. Run the conformance suite on it.')
  if (!result.applied) checked(result.current)
  return result
}

// A version that cannot be a tag would read as one that never matches, or as no entity at all.
function checked<T> (stored: Stored<T> | undefined): Stored<T> | undefined {
  if (stored !== undefined) formatEntityTag(stored.version)
  return stored
}
