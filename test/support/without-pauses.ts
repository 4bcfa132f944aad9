import type { Test } from 'tap'

/** Makes every pause of a back-off 0, for the time of a test: its jitter is a share of the pause. */
export function withoutPauses (t: Test): void {
  t.intercept(Math, 'random', { value: () => 0 })
}
