import t from 'tap'
import { heading, median, rows } from '../../../bench/report.js'

await t.test('bench: the median of an odd and of an even number of values', (t) => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([10, 9, 1, 5]), 7)
  t.end()
})

await t.test('bench: a ratio compares the runs of one round, and says how far the rounds are apart', (t) => {
  const samples = new Map([
    ['bare', [{ perSecond: 1000, cpu: 10 }, { perSecond: 2000, cpu: 20 }, { perSecond: 1000, cpu: 10 }]],
    ['memory', [{ perSecond: 900, cpu: 12 }, { perSecond: 1000, cpu: 20 }, { perSecond: 800, cpu: 15 }]]
  ])
  t.same(rows('PUT', samples, 'bare'), [
    '| PUT | memory | 1000 | 900 | **0.80** (0.50–0.90) | 10.0 | 15.0 | **1.20** (1.00–1.50) |'
  ])
  t.same(heading('bare').length, 2)
  t.end()
})
