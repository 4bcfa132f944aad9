import { copyStored } from './check-adapter.js'
import type { EntityState } from './entity-state.js'
import type { Operation, Revision } from './entity.js'
import { NestedWriteError } from '../errors.js'
import { formatEntityTag } from '../http/entity-tag.js'
import type { Stored } from '../storage/adapter.js'

/** The function that `update` or `replace` was given. */
export type Maker<T> = (current: T | undefined, revision: Revision | undefined) => T | Promise<T>

/**
 * Makes the new value of an entity. Each attempt has its own copy: what a failed one modified is not what the next one
 * starts from.
 *
 * @throws FST_IF_MATCH_NESTED_WRITE if a write to the entity began meanwhile. If the function did not await that one,
 *   it must not get lost behind the success of this one (decision 0015)
 */
export async function makeValue<T> (
  entity: EntityState,
  make: Maker<T>,
  current: Stored<T> | undefined
): Promise<T> {
  return await withoutNested(entity, () => current === undefined
    ? make(undefined, undefined)
    : make(copyStored(current.value), revisionOf(current.version)))
}

/**
 * Runs a function of the app that a write to the entity waits for.
 *
 * @throws FST_IF_MATCH_NESTED_WRITE if another write to the entity began meanwhile
 */
export async function withoutNested<R> (entity: EntityState, run: () => R | Promise<R>): Promise<R> {
  entity.isMaking = true
  try {
    const value = await run()
    if (entity.nested !== undefined) throw entity.nested
    return value
  } finally {
    entity.isMaking = false
    entity.nested = undefined
  }
}

/**
 * Refuses a write that begins while the function of another one to the same entity is running: it would wait for that
 * one, which waits for the function. The rejection is never unhandled, because that write rejects with it, too.
 */
export function refuseNested<S> (entity: EntityState, operation: Operation): Promise<S> {
  entity.nested = new NestedWriteError(operation)
  const nested = Promise.reject<S>(entity.nested)
  nested.catch(() => {})
  return nested
}

/** What names a version for the app. */
export function revisionOf (version: string): Revision {
  return { version, etag: formatEntityTag(version) }
}
