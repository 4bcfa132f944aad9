import { setTimeout as delay } from 'node:timers/promises'
import { ContentionError } from './errors.js'
import { evaluate, expectationOf, unchangedSince, type Policy, type Preconditions, type Verdict } from './precondition.js'
import type { Expectation, Refused, Stored } from './storage/adapter.js'

const ATTEMPTS = 32
const LONGEST_PAUSE = 64

/** One conditional operation on one entity. */
export interface Change<T, R extends { applied: true }> {
  preconditions: Preconditions
  policy: Policy
  /** Whether the operation needs the current entity, and so compares and swaps on what was read. */
  needsCurrent: boolean
  /** The entity as this request knows it, or a fresh read. */
  read: () => Promise<Stored<T> | undefined>
  /** The atomic step of the storage. */
  act: (expectation: Expectation, current: Stored<T> | undefined) => Promise<R | Refused<T>>
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
  const { preconditions, policy, act, refusal } = change
  const direct = change.needsCurrent ? undefined : expectationOf(preconditions, policy)

  function judge (current: Stored<T> | undefined): void {
    const verdict = evaluate(preconditions, current?.version, policy)
    if (verdict !== 'perform') throw refusal(verdict, current)
  }

  let current: Stored<T> | undefined
  if (direct === undefined) {
    current = await change.read()
    judge(current)
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // Jitter, so that those who lost together do not meet again.
    if (attempt > 0) await delay(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE))
    const result = await act(direct ?? unchangedSince(current?.version), current)
    if (result.applied) return result
    current = result.current
    judge(current)
  }
  throw new ContentionError(ATTEMPTS)
}
