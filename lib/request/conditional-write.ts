import { assertOutcome, writeError } from './check-adapter.js'
import type { Snapshot } from './entity-state.js'
import { ContentionError } from '../errors.js'
import {
  evaluate,
  expectationOf,
  unchangedSince,
  type Policy,
  type Preconditions,
  type Refusal,
  type Verdict
} from '../http/precondition.js'
import type { Expectation, Refused, Stored } from '../storage/adapter.js'
import { backOff } from '../storage/kit/backoff.js'

const ATTEMPTS = 48
const LONGEST_PAUSE = 200 // milliseconds

/** The outcome that an earlier try of a request had, if the current entity is what that one made; or else undefined. */
export type Repeated<T, R> = (current: Stored<T> | undefined, verdict: Verdict) => R | Promise<R> | undefined

/** One operation on one entity, under preconditions. */
export interface Change<T, R extends { applied: true }> {
  preconditions: Preconditions
  policy: Policy
  /** The entity as this request knows it, or a fresh read. */
  read: () => Promise<Pick<Snapshot, 'stored'>> | Pick<Snapshot, 'stored'>
  /** Makes the new value of the current one. With it, the operation compares and swaps on what was read. */
  prepare: ((current: Stored<T> | undefined) => Promise<void>) | undefined
  /** The atomic step of the storage; `current`: the entity that was judged last, if one was. */
  act: (expectation: Expectation, current: Stored<T> | undefined) => Promise<R | Refused<T>>
  /** Looks for an earlier try of the request; undefined: there can be none. */
  repeated?: Repeated<T, R> | undefined
  /** Whether to look for an earlier try before anything is written. */
  looksFirst?: boolean | undefined
  /** The error by which the operation is refused. */
  refusal: (verdict: Refusal, current: Stored<T> | undefined) => Error
}

/**
 * Carries out a change. If one expectation of the storage can say all of the preconditions, the storage decides in one
 * step. Otherwise this reads and judges, then compares and swaps on what it read. A lost race is judged again on the
 * entity that won it: a tag is false by then; `*`, and a list that still holds, try again, a bounded number of times.
 * What an earlier try of the same request wrote is its outcome.
 *
 * @throws the refusal, or FST_IF_MATCH_CONTENTION
 */
export async function conditionalWrite<T, R extends { applied: true }> (change: Change<T, R>): Promise<R> {
  const isDirect = change.prepare === undefined && change.looksFirst !== true
  const direct = isDirect ? expectationOf(change.preconditions, change.policy) : undefined
  let current: Stored<T> | undefined
  if (direct === undefined) {
    current = (await change.read()).stored
    const repeated = judge(change, current)
    if (repeated !== undefined) return await repeated
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await backOff(attempt, LONGEST_PAUSE)
    if (change.prepare !== undefined) await change.prepare(current)
    let result: R | Refused<T>
    try {
      result = await change.act(direct ?? unchangedSince(current?.version), current)
    } catch (cause) {
      throw writeError(cause)
    }
    assertOutcome(result)
    if (result.applied) return result
    current = result.current
    const repeated = judge(change, current)
    if (repeated !== undefined) return await repeated
  }
  throw new ContentionError(ATTEMPTS)
}

function judge<T, R extends { applied: true }> (
  { preconditions, policy, repeated, refusal }: Change<T, R>,
  current: Stored<T> | undefined
): R | Promise<R> | undefined {
  const verdict = evaluate(preconditions, current?.version, policy)
  const outcome = repeated?.(current, verdict)
  if (outcome === undefined && verdict !== 'perform') throw refusal(verdict, current)
  return outcome
}
