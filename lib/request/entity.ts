/** An entity as a request reads it. */
export interface Found<T> {
  value: T
  /** The storage's opaque version. */
  version: string
  /** The same as an entity-tag, quotes included, as `ETag` carries it. */
  etag: string
}

/** An entity as a request left it. */
export interface Saved<T> extends Found<T> {
  /** Whether there was no entity before. */
  created: boolean
}

/**
 * An entity that a handler works on. With the route's own key the preconditions of the request decide, in one atomic
 * step with the write. With another key the state that this request read decides.
 *
 * Every method rejects with `FST_IF_MATCH_STORAGE_UNAVAILABLE` (503) if the storage does not answer. Those that write
 * reject with `FST_IF_MATCH_PRECONDITION_FAILED` (412), `FST_IF_MATCH_ENTITY_ABSENT` (404), `FST_IF_MATCH_CONTENTION`
 * (503), `FST_IF_MATCH_OUTCOME_UNKNOWN` (503), `FST_IF_MATCH_INVALID_VALUE` (422) and, once the answer is out,
 * `FST_IF_MATCH_LATE_WRITE`. Let them reject: thrown out of the handler they are the right answer.
 *
 * Writes to one entity follow one another in the order of the calls. So a function that `update` or `replace` runs must
 * not await a write to the same entity: that one waits for it.
 */
export interface Entity<T = unknown> {
  readonly key: string
  /**
   * The entity; 404 if there is none. Of the route's own entity, what the preHandler read: on a GET the same object each
   * time, on others a new copy.
   */
  read (): Promise<Found<T>>
  /** Stores a new entity; 412 if there is one already. The route's own entity is created by PUT, by other methods it is 404. */
  create (value: T): Promise<Saved<T>>
  /**
   * Stores `value` in place of the entity; may create it where the route's option `create` says so. A function is
   * given the current value, or undefined, and returns the new one; it may run more than once.
   */
  replace (value: T | ((current: T | undefined) => T | Promise<T>)): Promise<Saved<T>>
  /** Stores what `change` makes of the current value, which it may modify; 404 if there is none. It may run more than once. */
  update (change: (current: T) => T | Promise<T>): Promise<Saved<T>>
  /** Removes the entity; 404 if there is none. */
  remove (): Promise<void>
  /** Says that nothing has to be written: reads again, checks the precondition, and leaves the tag as it is. */
  unchanged (): Promise<Found<T>>
}
