/** The operations that preconditions decide about. */
export type Operation = 'create' | 'replace' | 'update' | 'remove' | 'transaction' | 'unchanged' | 'read'

/** What names one state of an entity. */
export interface Revision {
  /** The version that the storage gave it: opaque. */
  version: string
  /** The version as an entity-tag, quotes included: the value of `ETag` and `If-Match`. */
  etag: string
}

/** An entity as a request reads it. */
export interface Found<T> extends Revision {
  value: T
}

/** An entity as a request reads it, its value as JSON text. */
export interface FoundText extends Revision {
  text: string
}

/** An entity as a request left it. */
export interface Saved<T> extends Found<T> {
  /** Whether the entity was absent before. */
  created: boolean
}

/** The entity that a transaction works on, as it was when the transaction locked it. */
export interface Current<T> extends Partial<Revision> {
  /** Reads its value inside the transaction, so changes of the work show; 404 if it is absent. */
  value (): Promise<T>
}

/** Options of `transaction`. */
export interface TransactionOptions<T, R> {
  /**
   * On a route with the option `resend`: what the work would have returned, made of the entity as it is now, for a
   * request whose earlier try was committed. The work is not run again. Without it, such a request is 412.
   */
  repeated?: ((current: Found<T>) => R | Promise<R>) | undefined
}

/** What a transaction left behind. */
export interface Committed<R> {
  /** What the work returned. */
  value: R
  /** The version of the entity; undefined: the work removed it. */
  version: string | undefined
  /** The version as an entity-tag. */
  etag: string | undefined
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
 * Writes to one entity follow one another in the order of the calls. While the function of `update` or `replace` runs,
 * another write to its entity is refused with `FST_IF_MATCH_NESTED_WRITE` (500), since it would wait for that one, and
 * that one with it: the function returns the value instead. It may read its entity, and write to others.
 *
 * Once a write of the request was applied, errors of later steps do not invite to send the request again. Only a
 * transaction makes several writes one (docs/guides/handlers.md).
 */
export interface Entity<T = unknown> {
  readonly key: string
  /**
   * Whether a write of this request to the entity was the repetition of one that was applied already, on a route with
   * the option `resend`: it wrote nothing, and gave what is stored.
   */
  readonly isRepeated: boolean
  /**
   * Reads the entity; 404 if it is absent. It judges no precondition, so a check of permission may begin with it: that
   * of a GET is judged before the handler runs (option `precheck`), or else when a success is about to be sent. The
   * entity that the route acts on is read once: a GET is given the same object each time, other methods a new copy.
   * With a context it is read once more, in that context.
   */
  read (): Promise<Found<T>>
  /**
   * Reads the entity as `read` does, its value as JSON text: what the engine keeps, which is neither parsed nor written
   * again, or the text of the value: in a GET, with what the handler changed in it. Send it with a Content-Type of
   * JSON. No response schema of the route applies to a text: it shows what is stored, as a whole.
   */
  readText (): Promise<FoundText>
  /**
   * Stores a new entity; 412 if it exists already. The entity that the route acts on is created where the option
   * `create` allows that: by PUT, and by the state-changing methods of a route that sets the option itself. On other
   * routes `FST_IF_MATCH_INVALID_OPTIONS` (500) says so.
   */
  create (value: T): Promise<Saved<T>>
  /**
   * Stores `value` in place of the entity; creates it where the route's option `create` allows that. A function is
   * given the current value and what names it, or undefined twice, and returns the new one; it may run more than once.
   */
  replace (value: T | ((current: T | undefined, revision: Revision | undefined) => T | Promise<T>)): Promise<Saved<T>>
  /**
   * Stores what `change` makes of the current value; 404 if the entity is absent. The function may modify the value,
   * and may run more than once. It is also given the version and the tag of that value: what it compares with them is
   * bound to the write, and an error that it throws is the answer.
   */
  update (change: (current: T, revision: Revision) => T | Promise<T>): Promise<Saved<T>>
  /** Removes the entity; 404 if it is absent. */
  remove (): Promise<void>
  /**
   * Runs `work` in a transaction of the app's own database; the storage adapter is one that has transactions, such as
   * `transactionsAdapter`. The entity is locked and compared first: a refusal (412, 404) comes before the work. Then
   * the work changes whatever belongs to the entity through `tx`, in any statements, and returns what the handler wants
   * to answer. Other operations of this request that begin while the work runs are part of the transaction: those of
   * further entities are committed or rolled back with it. If one of them fails, and is no refusal, so does the whole.
   *
   * An error of the work is passed on, and rolls everything back; so does a client that is gone before the commit. The
   * work may run more than once, after a deadlock for example, so it changes nothing but the database. It sends no
   * answer: a success waits for the commit, so a work that awaits `reply.send()` waits for itself. A work after
   * which the entity has the version that it had is rolled back, too: `FST_IF_MATCH_VERSION_UNCHANGED` (500). After a
   * work that removed the entity there is no version. It may create the entity where `replace` may.
   *
   * Of a further entity, what was read of it decides, if this request read it. One transaction of a request is under
   * way at a time; one that begins inside the work of another is part of it.
   */
  transaction<Tx, R> (
    work: (tx: Tx, current: Current<T>) => R | Promise<R>,
    options?: TransactionOptions<T, R>
  ): Promise<Committed<R>>
  /**
   * Says that nothing has to be written: reads again, checks the precondition, and leaves the tag as it is. In a GET or
   * another read it only reads again.
   */
  unchanged (): Promise<Found<T>>
}
