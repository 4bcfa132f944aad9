import t from 'tap'
import { backOff, pauseBefore } from '../../../../lib/storage/kit/backoff.js'

await t.test('back-off: a bound that doubles, up to the longest pause, and full jitter below it', async (t) => {
  for (const share of [0, 0.5, 1]) {
    t.intercept(Math, 'random', { value: () => share })
    t.strictSame(
      [1, 2, 3, 4, 5, 6, 1000].map((attempt) => pauseBefore(attempt, 32)),
      [2, 4, 8, 16, 32, 32, 32].map((bound) => bound * share)
    )
  }
})

await t.test('back-off: waits for its pause', async (t) => {
  t.intercept(Math, 'random', { value: () => 0 })
  await backOff(1, 32)
})
