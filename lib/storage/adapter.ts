/**
 * What must be true of the stored entity for a write to be applied.
 *
 * - `version`: its version is one of `versions` (`If-Match` with a list of tags)
 * - `exists`: there is an entity, whatever its version (`If-Match: *`)
 * - `absent`: there is none (`If-None-Match: *`)
 * - `any`: no condition; last one wins, and creates if need be
 */
export type Expectation =
  | { readonly kind: 'version', readonly versions: readonly string[] }
  | { readonly kind: 'exists' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'any' }

/** The expectations that can hold for an entity to be removed. */
export type RemoveExpectation = Extract<Expectation, { kind: 'version' | 'exists' }>

/** An entity as the storage holds it: its value and its version, read in one step. */
export interface Stored<T = unknown> {
  /** The value, a JSON document. It is the reader's own: changing it never reaches the store. */
  value: T
  /** Opaque and never reused for this key, not even after the entity was removed and created again. */
  version: string
  /** The version that the write of this one replaced; undefined if that write created the entity. */
  replaced?: string | undefined
  /** What the caller passed as `digest` with the write of this version. */
  digest?: string | undefined
}

/** What comes along with a read. */
export interface ReadOptions {
  /** Handed through from `request.entity(key, context)`; for example a client that is inside a transaction. */
  context?: unknown
  /**
   * Aborted when nobody waits for the answer any more. It stops what was not yet sent to the engine, nothing else. Made
   * when it is first looked at: an adapter around another one passes the options on as they are, not a copy of them.
   */
  signal?: AbortSignal | undefined
  /** Whether nobody waits for the outcome any more; cheaper to ask than `signal`, which is made on first use. */
  isOver?(): boolean
}

/** What comes along with a write. */
export interface WriteOptions extends ReadOptions {
  /** Stored beside the version, for safe retries. Absent: none is stored, and an earlier one is dropped. */
  digest?: string | undefined
}

/** The refusal of a write or removal: the expectation did not hold for `current`, the entity as it is now. */
export interface Refused<T = unknown> { applied: false, current: Stored<T> | undefined }

/** The outcome of a write. Absence and mismatch are outcomes; an outage is an exception. */
export type WriteResult<T = unknown> = { applied: true, version: string, created: boolean } | Refused<T>

/** The outcome of a removal. */
export type RemoveResult<T = unknown> = { applied: true } | Refused<T>

/** Which part of a listing to return. */
export interface ListOptions extends ReadOptions {
  /** Continue behind this key (exclusive). */
  after?: string | undefined
  /** How many items at most, 1 to 1,000; 100 by default. */
  limit?: number | undefined
}

/** A part of a listing, ordered by the UTF-8 bytes of the keys. */
export interface Page<T = unknown> {
  items: Array<Stored<T> & { key: string }>
  /** Pass it as `after` to go on; undefined when there is no more. */
  next?: string | undefined
}

/**
 * The contract between the plugin and an engine.
 *
 * `write` and `remove` compare and act in ONE atomic step inside the engine, for every other process on the same
 * data too. Read, wait, then write is not enough, and there is no fallback for engines that cannot do better.
 *
 * Keys are well-formed Unicode without NUL, 1 to 1,024 bytes of UTF-8; values are JSON. What is not is refused with
 * `FST_IF_MATCH_INVALID_KEY` or `FST_IF_MATCH_INVALID_VALUE` before anything is sent. Two errors report outages:
 * `FST_IF_MATCH_STORAGE_UNAVAILABLE` only if the write was certainly not applied, `FST_IF_MATCH_OUTCOME_UNKNOWN`
 * if it may have been. Nothing may send a write twice. `fastify-if-match/conformance` checks all of this.
 */
export interface StorageAdapter<T = unknown> {
  /** The entity as it is now, or undefined if there is none. An outage rejects; it never reads as absent. */
  read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined>
  /**
   * Stores `value` under a new version if `expectation` holds. Otherwise nothing changes, and `current` is the entity
   * that stood in the way: it never satisfies the expectation that it was refused under.
   */
  write (key: string, value: T, expectation: Expectation, options?: WriteOptions): Promise<WriteResult<T>>
  /** Removes the entity if `expectation` holds; refuses as `write` does. */
  remove (key: string, expectation: RemoveExpectation, options?: ReadOptions): Promise<RemoveResult<T>>
  /** The entities whose keys begin with `prefix`, ordered by key. Optional. */
  list? (prefix: string, options?: ListOptions): Promise<Page<T>>
  /** Awaited before the server is ready: connects, and rejects if the engine cannot do what this contract asks. */
  open? (): Promise<void>
  /** Awaited when the server closes: closes what the adapter itself opened, and nothing that it was given. */
  close? (): Promise<void>
}

/** A storage adapter that can list, as the built-in ones can. */
export type ListingAdapter<T = unknown> = StorageAdapter<T> & Required<Pick<StorageAdapter<T>, 'list'>>
