import type { Test } from 'tap'

/** A clock in place of `performance.now`, until the test ends: it stands still where the test does not move it. */
export function stoppedClock (t: Test): { now: number } {
  const clock = { now: 1000 }
  t.intercept(performance, 'now', { value: () => clock.now })
  return clock
}
