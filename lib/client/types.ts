/** What is stored, and the tag it was read under. */
export interface Current<T> {
  value: T
  /** The `ETag`, exactly as it was received: with its quotes, and with the `W/` of a weak one. */
  etag: string
}

/**
 * How sure it is that a change was applied: the server said so (`confirmed`), or its answer was lost and the change was
 * then found in what is stored (`found`), or there was nothing to change, and nothing was sent (`unchanged`).
 */
export type Outcome = 'confirmed' | 'found' | 'unchanged'

/** A change that was applied. */
export interface Written<T> {
  /** What is stored: the answer of the server if it is JSON, otherwise what was sent. */
  value: T
  /** The new tag; undefined if the answer had none. Read again before the next write then. */
  etag: string | undefined
  outcome: Outcome
}

/** How the client calls `fetch`. */
export interface FetchInit {
  method: string
  headers: Headers
  signal: AbortSignal
  /** `manual` for a write: a redirect of it is not followed. */
  redirect: 'follow' | 'manual'
  /** Left out where the platform does not know it. */
  cache?: 'no-store'
  body?: string
}

/** What the client needs of `fetch`. It must obey the signal, and must not send a write twice by itself. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>

/** Headers, or a function that is asked for them ahead of each request, so that it can renew a token. */
export type HeaderSource = Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>)

/** How patient a client is. */
export interface Patience {
  /** How often a call tries again, its reads included: after a lost answer, a 503, a 429, a conflict. Default 8. */
  retries?: number
  /** The longest pause ahead of a try, in milliseconds; it is random, below a bound that doubles. Default 2,000. */
  maxDelay?: number
  /** The longest `Retry-After` that is waited for, in milliseconds: a longer one fails the call. Default 30,000. */
  maxRetryAfter?: number
  /** How long a request may take, with its headers, in milliseconds: then its answer counts as lost. Default 30,000. */
  timeout?: number
  /**
   * Codes of this server, besides `FST_IF_MATCH_CONTENTION` and `FST_IF_MATCH_STORAGE_UNAVAILABLE`, that say that a
   * request certainly applied nothing. A write that is answered so, with 503 and `Retry-After`, is sent again after
   * that time, without a read. Default: none.
   */
  refusalCodes?: readonly string[]
  /**
   * Only for servers whose routes have the option `resend`: gives the `Idempotency-Key` of a change, a new one each
   * time that it is called, such as `() => crypto.randomUUID()`. It is called once for each change. After a lost answer
   * the very same request is sent again, and nothing is read. Default: no key, and it reads.
   */
  idempotencyKey?: (() => string) | undefined
}

export interface ClientOptions extends Patience {
  /** Default: the `fetch` of the platform. */
  fetch?: Fetch
  /** Headers of every request, such as `Authorization`. */
  headers?: HeaderSource
}

/** What any call takes. */
export interface CallOptions extends Patience {
  /**
   * Ends the call. It rejects with the reason of the signal, or with `OutcomeUnknownError` if a write was sent by then.
   */
  signal?: AbortSignal | undefined
  /** Headers of this call alone. */
  headers?: Record<string, string> | undefined
}

export interface ReadOptions<T> extends CallOptions {
  /** What an earlier read gave. It is returned itself if the server says that it still is current (304). */
  known?: Current<T> | undefined
}

/**
 * Says whether a change is in the value that is stored now: yes, certainly not, or undefined if nobody can tell.
 * `'equal'` says yes if what is stored equals what was sent, as JSON, and undefined otherwise.
 */
export type IsApplied<T> = 'equal' | ((current: T, sent: T) => boolean | undefined)

export interface ApplyOptions<T> extends CallOptions {
  /**
   * Asked with what is stored once an answer was lost and the tag has changed, and after a 412, because a browser, a
   * proxy or a `fetch` may have sent the write twice (engine-facts#chromium-sends-put-twice). Default of `write` and
   * `create`: `'equal'`. Default of `update`: nobody can tell.
   */
  isApplied?: IsApplied<T>
}

/** Which strategy a write uses: the tag of what was read, or the last one wins. */
export type Strategy = { etag: string, overwrite?: never } | { overwrite: true, etag?: never }

export type WriteOptions<T> = ApplyOptions<T> & Strategy
export type RemoveOptions = CallOptions & Strategy

/** A change that was refused, because somebody else was faster. */
export interface Conflict<T> {
  /** What `mine` was made of. */
  base: T
  /** What was sent. */
  mine: T
  /** What is stored now. */
  theirs: T
}

export interface UpdateOptions<T> extends ApplyOptions<T> {
  /** Gives what is to be stored after a conflict. Default: `mutate` is asked again, with what is stored now. */
  onConflict?: (conflict: Conflict<T>) => T | undefined | Promise<T | undefined>
}

/** Gives what is to be stored. It may change what it is given; what stays equal is not sent. */
export type Mutate<T> = (value: T) => T | undefined | void | Promise<T | undefined | void>
