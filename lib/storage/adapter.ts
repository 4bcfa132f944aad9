/**
 * The condition under which a write is applied. It is about the entity as it is when the engine carries out the write.
 *
 * - `version`: the entity exists, and its version is one of `versions` (`If-Match` with a list of tags). An empty list
 *   never holds
 * - `exists`: the entity exists, whatever its version (`If-Match: *`)
 * - `absent`: the entity does not exist (`If-None-Match: *`)
 * - `any`: no condition; the write replaces the entity, or creates it
 */
export type Expectation =
  | { readonly kind: 'version', readonly versions: readonly string[] }
  | { readonly kind: 'exists' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'any' }

/** The condition under which a removal is applied: both kinds ask that the entity exists. */
export type RemoveExpectation = Extract<Expectation, { kind: 'version' | 'exists' }>

/** An entity as the storage holds it. Value and version come from one snapshot, never from two reads. */
export interface Stored<T = unknown> {
  /**
   * The value, which is JSON. The caller owns it: a change of this object never reaches the storage. It may be an
   * accessor that makes the value when it is first asked for. Left out by a read whose `unless` holds.
   */
  value: T
  /**
   * Opaque. Each write makes a new one, also if it stores the same content. A version never comes back for its key, not
   * even after the entity was removed and created again. It becomes an entity-tag, and so consists of visible ASCII
   * characters without double quote, backslash and semicolon.
   */
  version: string
  /**
   * The version that the last write replaced; undefined if that write created the entity, or came past the adapter and
   * nobody noted it. Then there is no `digest`, either.
   */
  replaced?: string | undefined
  /** The `digest` that was passed with the last write; undefined if none was. */
  digest?: string | undefined
  /**
   * The value as JSON text, where the engine keeps one. Whoever sends it on needs no value. Adapters of this package
   * keep it out of copies: `{ ...stored, value: other }` has no text of another value.
   */
  json?: string | undefined
}

/** What a caller may pass with a read. */
export interface ReadOptions {
  /**
   * Handed through from `request.entity(key, context)`; for example a client that is inside a transaction. An adapter
   * that cannot use it refuses the operation with `FST_IF_MATCH_INVALID_OPTIONS` (500) before anything is sent: what is
   * done outside of the caller's transaction must not be told as done. Undefined is no context; null is one.
   */
  context?: unknown
  /**
   * Aborted when nobody waits for the answer any more. It stops what was not yet sent to the engine, nothing else. Made
   * when it is first looked at: an adapter around another one passes the options on as they are, not a copy of them.
   */
  signal?: AbortSignal | undefined
  /**
   * Whether nobody waits for the outcome any more; cheaper to ask than `signal`, which is made on first use. Where both
   * are there, `isOver` is asked alone: pass `signal` without it, or one that says the same.
   */
  isOver?(): boolean
  /**
   * The versions of which the caller needs no value, `'*'`: of none. It is the `If-None-Match` of a read: if the entity
   * has one of these versions, the member `value` may be left out. An adapter that ignores it stays right: a value that
   * was not asked for is not used. One that is built around another one, and looks at values itself or keeps them, does
   * not pass it on. Reads alone have it.
   */
  unless?: '*' | readonly string[] | undefined
}

/** What a caller may pass with a write. */
export interface WriteOptions extends ReadOptions {
  /**
   * A text that identifies the request, stored beside the version: with it a later request can tell that it is a
   * repetition. If there is none, none is stored, and that of an earlier write is dropped.
   */
  digest?: string | undefined
}

/**
 * The refusal of a write or a removal: nothing was changed. `current` is the entity as it was when the engine compared,
 * or after it; undefined if there is none. It never satisfies the expectation that was refused.
 */
export interface Refused<T = unknown> { applied: false, current: Stored<T> | undefined }

/**
 * The outcome of a write. If it was applied: the new version, and whether the write created the entity. Absence and
 * mismatch are refusals; an outage is an exception, never an outcome.
 */
export type WriteResult<T = unknown> = Written<T> | Refused<T>

/** A write that was applied. */
export interface Written<T = unknown> {
  applied: true
  /** The new version. */
  version: string
  /** Whether the write created the entity. */
  created: boolean
  /** What is stored now, where the engine gave it back and it may differ from what was passed. */
  value?: T
}

/** The outcome of a removal. It was applied if the entity existed, satisfied the expectation, and is gone. */
export type RemoveResult<T = unknown> = { applied: true } | Refused<T>

/** The entity that a transaction works on, as it was when the transaction locked it. */
export interface Locked<T = unknown> {
  /** Its version; undefined: there is none. */
  readonly version: string | undefined
  /**
   * Reads it inside the transaction, changes of the work included; undefined: there is none. Until the work has changed
   * it, `replaced` and `digest` are those that a read outside gives.
   */
  read (): Promise<Stored<T> | undefined>
}

/**
 * The work of a transaction. `tx` is the client that is inside it: the same adapter takes `{ client: tx }` as the
 * context of its other operations. The work may run more than once, each time in a new transaction.
 */
export type Work<T = unknown, R = unknown, Tx = any> = (tx: Tx, locked: Locked<T>) => Promise<R>

/** The outcome of a transaction. If it was applied: the new version, undefined if the work removed the entity. */
export type TransactionResult<T = unknown, R = unknown> =
  | { applied: true, version: string | undefined, created: boolean, value: R }
  | Refused<T>

/** The part of a listing that a caller asks for. */
export interface ListOptions extends ReadOptions {
  /** The page begins after this key (exclusive), which need not exist. */
  after?: string | undefined
  /** How many items the page has at most: a whole number from 1 to 1,000, 100 by default. */
  limit?: number | undefined
}

/** A part of a listing, ordered by the UTF-8 bytes of the keys. */
export interface Page<T = unknown> {
  items: Array<Stored<T> & { key: string }>
  /** Pass it as `after` to get the next page; undefined if this page is the last. */
  next?: string | undefined
}

/**
 * The contract between the plugin and an engine. `fastify-if-match/conformance` checks what can be seen through an
 * adapter. What it cannot see (a resend, an answer that is lost on the way, a `close` under load) is up to tests of the
 * adapter's own.
 *
 * - **Atomic**: `write` and `remove` compare and act in ONE step inside the engine, for every other process on the
 *   same data too. An adapter that reads, compares and then writes breaks the contract, and there is no fallback for
 *   engines that cannot do better.
 * - **Keys** are well-formed Unicode without U+0000, of 1 to 1,024 bytes of UTF-8, ordered by these bytes. Any other
 *   key is refused with `FST_IF_MATCH_INVALID_KEY` (400) before anything is sent.
 * - **Values** are JSON, and come back deep-equal. A value that JSON would change or drop is refused before anything
 *   is sent: with `FST_IF_MATCH_INVALID_VALUE` (422) what a client can send, which is an infinite number (`1e400`) or
 *   too many levels, with `FST_IF_MATCH_NOT_JSON` (500) what only the server can make, such as a Date.
 * - **Outages** reject. `FST_IF_MATCH_STORAGE_UNAVAILABLE` (503) says that a write was certainly not applied, and
 *   will not be; `FST_IF_MATCH_OUTCOME_UNKNOWN` (503) that it may have been, or may still be. Any other error counts
 *   as unavailable on reads, and as unknown on writes, but for those of the next two points.
 * - **Errors of the app** with a `statusCode` or `status` of 400 to 499 go out as they are: whoever throws one says
 *   that nothing was applied, and will not be. A taken unique key, or rows that refer to each other, are
 *   `FST_IF_MATCH_CONSTRAINT` (409), unless the entity does not satisfy the expectation any more: that is a refusal.
 * - **Mistakes** of the server are no outages: `FST_IF_MATCH_STORAGE_FAULT` (500). So is what JavaScript throws for a
 *   bug (a TypeError), and a statement that the engine refuses as wrong (SQLSTATE class 42), if an adapter throws it as
 *   it is.
 * - **Nothing sends a write twice**, not the adapter, and not the driver below it, unless the engine said that the
 *   first one did nothing.
 */
export interface StorageAdapter<T = unknown> {
  /** The current entity, or undefined if there is none. An outage rejects: it never reads as an absence. */
  read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined>
  /**
   * Stores `value` under a new version if the entity satisfies `expectation`. Otherwise nothing changes, and the result
   * has the current entity.
   */
  write (key: string, value: T, expectation: Expectation, options?: WriteOptions): Promise<WriteResult<T>>
  /**
   * Removes the entity if it satisfies `expectation`. Otherwise nothing changes, and the result has the current entity.
   */
  remove (key: string, expectation: RemoveExpectation, options?: ReadOptions): Promise<RemoveResult<T>>
  /**
   * Runs `work` in a transaction of the app's own database, if the entity satisfies `expectation`: it locks the entity,
   * compares, runs the work, and commits. A refusal, an error of the work (which is passed on), and the end of the wait
   * for the answer before the commit leave nothing behind. A work after which the entity has the version that it had is
   * rolled back, with `FST_IF_MATCH_VERSION_UNCHANGED` (500). With a context it is part of the caller's transaction.
   *
   * The transaction is one write: where the adapter keeps them, `replaced` is then the version that was locked, and
   * `digest` that of the options, however often the work wrote the entity. Optional.
   */
  transaction?<R> (
    key: string,
    expectation: Expectation,
    work: Work<T, R>,
    options?: WriteOptions
  ): Promise<TransactionResult<T, R>>
  /**
   * A page of the entities whose keys begin with `prefix`, ordered by the UTF-8 bytes of their keys. An adapter may
   * list collections alone, whose prefix ends in a slash. A `limit` that is no whole number from 1 to 1,000 is a
   * RangeError. Optional.
   */
  list? (prefix: string, options?: ListOptions): Promise<Page<T>>
  /**
   * Awaited before the server is ready. It connects, and rejects with `FST_IF_MATCH_INVALID_ADAPTER` if the engine
   * cannot be reached or cannot keep this contract. Optional.
   */
  open? (): Promise<void>
  /**
   * Awaited when the server closes, once no request uses the adapter, or after 10 seconds. It closes what the adapter
   * itself opened; a client or handle that the adapter was given stays open. Operations that are under way should end
   * first; one that is cut off rejects, a write with `FST_IF_MATCH_OUTCOME_UNKNOWN`. Optional.
   */
  close? (): Promise<void>
}

/** A storage adapter that runs transactions. */
export type TransactionAdapter<T = unknown> = StorageAdapter<T> & Required<Pick<StorageAdapter<T>, 'transaction'>>

/** A storage adapter that can list. */
export type ListingAdapter<T = unknown> = StorageAdapter<T> & Required<Pick<StorageAdapter<T>, 'list'>>
