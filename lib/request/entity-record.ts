import type { Stored } from '../storage/adapter.js'

/** A state of an entity that a request knows of. */
export interface SeenState {
  /** Its version; undefined: there is no entity. */
  readonly version: string | undefined
  /** The entity as the storage gave it; undefined of a state that is known by its version alone. */
  readonly stored: Stored<any> | undefined
}

/** What a request knows of one entity and did to it. */
export interface EntityRecord {
  readonly key: string
  /** The state that the request read first. It is what the answer to a GET is tagged with: never newer than the body. */
  first: SeenState | undefined
  /** The state that the request saw last, by a read, a refusal or its own write. */
  seen: SeenState | undefined
  /**
   * What the handler was given itself and not as a copy, so that it may have changed it: no change may start from that. So
   * it is on a GET, which most often sends what it read and is done.
   */
  lent: Stored<any> | undefined
  /** The state that the request left behind, if it wrote, removed, or said that there was nothing to do. */
  left: SeenState | undefined
  /** The read that is under way, for all who ask meanwhile: they are given one state. */
  reading: Promise<Stored<any> | undefined> | undefined
  /** The last write that was begun. */
  tail: Promise<unknown> | undefined
  /** Why its last write was not applied. */
  failure: unknown
}

/** The record of an entity that the request did not look at yet. */
export function newRecord (key: string): EntityRecord {
  return {
    key,
    first: undefined,
    seen: undefined,
    lent: undefined,
    left: undefined,
    reading: undefined,
    tail: undefined,
    failure: undefined
  }
}
