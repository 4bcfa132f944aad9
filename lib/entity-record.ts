import type { Stored } from './storage/adapter.js'

/** What a request knows of one entity and did to it. */
export interface EntityRecord {
  readonly key: string
  /** The state that the request saw last, by a read, a refusal or its own write; undefined: it looked at none yet. */
  seen: { readonly current: Stored<any> | undefined } | undefined
  /** What the request did to it last. */
  outcome: 'written' | 'removed' | 'unchanged' | undefined
  /** Why its last write was not applied. */
  failure: unknown
}

/** The record of an entity that the request did not look at yet. */
export function newRecord (key: string): EntityRecord {
  return { key, seen: undefined, outcome: undefined, failure: undefined }
}
