/** An entity as a request reads it. */
export interface Found<T> {
  value: T
  /** The version that the storage gave it: opaque. */
  version: string
  /** The version as an entity-tag, quotes included: the value of `ETag` and `If-Match`. */
  etag: string
}

/** An entity as a request left it. */
export interface Saved<T> extends Found<T> {
  /** Whether the entity was absent before. */
  created: boolean
}

/**
 * An entity that a handler works on. If it is the one that the route acts on, the preconditions of the request decide,
 * in one atomic step with the write. If it is another one, what this request read of it decides.
 *
 * Every method rejects with `FST_IF_MATCH_STORAGE_UNAVAILABLE` (503) if the storage does not answer. Those that write
 * reject with `FST_IF_MATCH_PRECONDITION_FAILED` (412), `FST_IF_MATCH_ENTITY_ABSENT` (404), `FST_IF_MATCH_CONTENTION`
 * (503), `FST_IF_MATCH_OUTCOME_UNKNOWN` (503), `FST_IF_MATCH_INVALID_VALUE` (422), `FST_IF_MATCH_NOT_JSON` (500) for a
 * value that no client can send, such as a Date or what a function forgot to return, and, once the answer is out,
 * `FST_IF_MATCH_LATE_WRITE`. Let them reject: thrown out of the handler they are the right answer.
 *
 * Writes to one entity follow one another in the order of the calls. So the function that `update` or `replace` runs
 * must not await a write to the same entity: that write waits for this one.
 */
export interface Entity<T = unknown> {
  readonly key: string
  /**
   * Reads the entity; 404 if it is absent. The entity that the route acts on is read once: a GET is given the same
   * object each time, other methods a new copy.
   */
  read (): Promise<Found<T>>
  /**
   * Stores a new entity; 412 if it exists already. The entity that the route acts on is created by PUT alone: other
   * methods answer 404.
   */
  create (value: T): Promise<Saved<T>>
  /**
   * Stores `value` in place of the entity; creates it where the route's option `create` allows that. A function is
   * given the current value, or undefined, and returns the new one; it may run more than once.
   */
  replace (value: T | ((current: T | undefined) => T | Promise<T>)): Promise<Saved<T>>
  /**
   * Stores what `change` makes of the current value; 404 if the entity is absent. The function may modify the value,
   * and may run more than once.
   */
  update (change: (current: T) => T | Promise<T>): Promise<Saved<T>>
  /** Removes the entity; 404 if it is absent. */
  remove (): Promise<void>
  /** Says that nothing has to be written: reads again, checks the precondition, and leaves the tag as it is. */
  unchanged (): Promise<Found<T>>
}
