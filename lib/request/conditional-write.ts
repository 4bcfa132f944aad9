import { ContentionError } from '../errors.js'
import {
  evaluate,
  expectationOf,
  unchangedSince,
  type Policy,
  type Preconditions,
  type Verdict
} from '../http/precondition.js'
import { checkOutcome, writeFault } from './check-adapter.js'
import type { Expectation, Refused, Stored } from '../storage/adapter.js'
import { backOff } from '../storage/kit/backoff.js'

const ATTEMPTS = 48
const LONGEST_PAUSE = 200 // milliseconds

/** One conditional operation on one entity. */
export interface Change<T, R extends { applied: true }> {
  preconditions: Preconditions
  policy: Policy
  /** The entity as this request knows it, or a fresh read. */
  read: () => Promise<Stored<T> | undefined> | Stored<T> | undefined
  /** Makes the new value of the current one. With it, the operation compares and swaps on what was read. */
  prepare: ((current: Stored<T> | undefined) => Promise<void>) | undefined
  /** The atomic step of the storage. */
  act: (expectation: Expectation) => Promise<R | Refused<T>>
  /** The error for a verdict other than `perform`. */
  refusal: (verdict: Exclude<Verdict, 'perform'>, current: Stored<T> | undefined) => Error
}

/**
 * Carries out a change. If one expectation of the storage says it all, that is the whole of it. Otherwise it reads,
 * judges, and compares and swaps on what it read; after a lost race it judges again what stood in the way. A tag is
 * false by then; `*` and lists that still hold try again, a bounded number of times (R58).
 *
 * @throws the refusal, or FST_IF_MATCH_CONTENTION
 */
export async function carryOut<T, R extends { applied: true }> (change: Change<T, R>): Promise<R> {
  const direct = change.prepare === undefined ? expectationOf(change.preconditions, change.policy) : undefined
  let current: Stored<T> | undefined
  if (direct === undefined) {
    current = await change.read()
    judge(change, current)
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await backOff(attempt, LONGEST_PAUSE)
    if (change.prepare !== undefined) await change.prepare(current)
    let result: R | Refused<T>
    try {
      result = await change.act(direct ?? unchangedSince(current?.version))
    } catch (cause) {
      throw writeFault(cause)
    }
    checkOutcome(result)
    if (result.applied) return result
    current = result.current
    judge(change, current)
  }
  throw new ContentionError(ATTEMPTS)
}

function judge<T> (
  { preconditions, policy, refusal }: Pick<Change<T, never>, 'preconditions' | 'policy' | 'refusal'>,
  current: Stored<T> | undefined
): void {
  const verdict = evaluate(preconditions, current?.version, policy)
  if (verdict !== 'perform') throw refusal(verdict, current)
}
