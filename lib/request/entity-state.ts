import type { Stored } from '../storage/adapter.js'
import { hasValue } from '../storage/kit/unless.js'

/** An entity at one moment. */
export interface Snapshot {
  /** Its version; undefined: the entity was absent. */
  readonly version: string | undefined
  /** The entity as the storage gave it, maybe without its value; undefined also where only the version is known. */
  readonly stored: Stored<any> | undefined
  /**
   * Whether the handler was given the value itself, not a copy. It may have modified that, so no change starts from it.
   */
  isLent: boolean
}

/** What a request did to an entity. */
export type Effect =
  /** It was written or removed. */
  | 'applied'
  /** The same with a context of the app, which alone knows whether its transaction was committed. */
  | 'pending'
  /** The write was the repetition of one that was applied already, and so wrote nothing. */
  | 'repeated'
  /** The handler said that nothing has to be written. */
  | 'unchanged'

/** What a request knows of one entity, and did to it. All handles of one key share this object. */
export class EntityState {
  /** The snapshot that was read first. The answer to a GET has its tag, which is never newer than the body. */
  first: Snapshot | undefined
  /** The latest snapshot that the request learned of: by a read, a refusal or its own write. */
  known: Snapshot | undefined
  /** The snapshot that the request left behind, if it wrote, removed, or said that nothing has to be written. */
  written: Snapshot | undefined
  /** What the request did to it so far: a write counts for more than that nothing had to be written. */
  effect: Effect | undefined
  /** Whether a write of this request was the repetition of one that was applied already, and so wrote nothing. */
  isRepeated = false
  /** The read under way, which further readers share, so that all of them see one snapshot. */
  reading: Promise<Snapshot> | undefined
  /**
   * The last write that was started: the next one waits for it. It is a field of its own beside `reading`, because
   * reads do not wait for writes: the function that `update` runs may read the entity (decision 0013).
   */
  writing: Promise<unknown> | undefined
  /** Whether a write of this request is being carried out. There is one at a time. */
  isUnderWay = false
  /**
   * Whether the function of an `update` or `replace` is running. A write that began now would wait for that one, which
   * waits for the function (decision 0015).
   */
  isMaking = false
  /** The refusal of a write that began meanwhile: the write of that function is refused by it, too. */
  nested: Error | undefined

  constructor (readonly key: string) {}

  /** Learns what the entity is now. A snapshot of this very object stays, with its mark. */
  learn (stored: Stored<any> | undefined): void {
    if (stored === undefined || stored !== this.known?.stored) this.known = snapshotOf(stored)
  }
}

/** The snapshot of an entity as a storage gave it. */
export function snapshotOf (stored: Stored<any> | undefined): Snapshot {
  return { version: stored?.version, stored, isLent: false }
}

/** The snapshot of an entity of which only the version is known; undefined: it is absent. */
export function versionOnly (version: string | undefined): Snapshot {
  return { version, stored: undefined, isLent: false }
}

/** Whether a snapshot can stand for a read: the entity is absent, or its value is known. */
export function isComplete (snapshot: Snapshot | undefined): snapshot is Snapshot {
  if (snapshot === undefined) return false
  return snapshot.version === undefined || (snapshot.stored !== undefined && hasValue(snapshot.stored))
}
