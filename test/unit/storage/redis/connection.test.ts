import t from 'tap'
import { reconnectPause } from '../../../../lib/storage/redis/connection.js'

await t.test('redis: the pauses between attempts to connect grow from 50 ms to a second, and up to half of each is left to chance', async (t) => {
  for (const [random, share] of [[0, 0.5], [1, 1]] as const) {
    t.intercept(Math, 'random', { value: () => random })
    const longest = [50, 100, 200, 800, 1000, 1000]
    t.strictSame([0, 1, 2, 4, 5, 1000].map(reconnectPause), longest.map((pause) => pause * share))
  }
})
