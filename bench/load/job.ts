/**
 * What is not measured: a fresh server compiles its code while it answers the first thousands of requests, and a lone
 * client needs seconds for those.
 */
export interface WarmUp {
  /** How many seconds it lasts at least. */
  readonly seconds: number
  /** How many requests are answered in it, unless that takes ten seconds. */
  readonly requests: number
}

/** What the generator of load is to do. It is passed between processes. */
export interface Job {
  /** The servers; connections are spread over them. */
  readonly urls: readonly string[]
  readonly scenario: string
  readonly dialect: string
  /** How many requests are under way at once, each to an entity of its own unless the scenario says otherwise. */
  readonly connections: number
  /** The size of the document. */
  readonly kilobytes: number
  /** Whether the entities have tags. A side that should have and has not is no measurement. */
  readonly hasTags: boolean
  readonly warmUp: WarmUp
  /** How many seconds are measured. */
  readonly seconds: number
}

/** What the generator tells, in this order. An error comes in place of any of them, and is the last. */
export type Report =
  | { readonly state: 'warm' }
  | { readonly state: 'measured', readonly answered: number, readonly seconds: number, readonly cpu: number }
  | { readonly state: 'verified' }
  | { readonly state: 'failed', readonly message: string }
