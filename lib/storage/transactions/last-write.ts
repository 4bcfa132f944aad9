import type { Stored } from '../adapter.js'
import { versionText } from '../kit/row-version.js'
import { provenanceOf, type RowVersion } from '../statements/answer.js'

/** What the adapter has the app keep of the last write of an entity, in columns of text. */
export interface LastWrite {
  /** The version that the write left. It is what tells whether anybody has written since, past the adapter. */
  readonly version: string
  /** The version that the write replaced; null if it created the entity. */
  readonly replaced: string | null
  /** The `digest` that came with the write; null if none did. */
  readonly digest: string | null
}

/** A last write as it was kept: what `read` finds of it. An outer join gives nulls where there is none. */
export interface KeptWrite {
  readonly version: RowVersion | null
  readonly replaced: RowVersion | null
  readonly digest: string | null
}

/** An entity as `read` finds it. Of a timestamp, the version is its text: a Date has milliseconds alone. */
export interface Row<T> {
  version: RowVersion
  value: T
  /**
   * What `saveLastWrite` kept; null or undefined: nothing. It holds only while its version is that of the row: a job
   * that moved the version wrote since, and has no `digest`.
   */
  lastWrite?: KeptWrite | null | undefined
}

/**
 * What stands beside the value of a row.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER if the version of the row is none, or that of what was kept;
 * FST_IF_MATCH_STORAGE_FAULT if the version that was replaced is none
 */
export function factsOf ({ version: ofRow, lastWrite }: Row<unknown>): Omit<Stored, 'value'> {
  const version = versionText(ofRow)
  const kept = lastWrite?.version ?? undefined
  if (kept === undefined || versionText(kept) !== version) return { version }
  return provenanceOf({ ...lastWrite, version })
}
