import t from 'tap'
import type { Result } from '../../../bench/record.js'
import { heading, median, rows } from '../../../bench/report.js'

const setting = { scenario: 'put', connections: 64, kilobytes: 1 }

const sample = (side: string, round: number, perSecond: number, cpu: number | undefined): Result =>
  ({ ...setting, side, round, perSecond, cpu })

await t.test('bench: the median of an odd and of an even number of values', (t) => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([10, 9, 1, 5]), 7)
  t.end()
})

await t.test('bench: a ratio compares the runs of one round, and says how far the rounds are apart', (t) => {
  const results = [
    sample('bare', 0, 1000, 10), sample('bare', 1, 2000, 20), sample('bare', 2, 1000, 10),
    // As they come in turns: the order of a round is that of the one before, reversed.
    sample('memory', 1, 1000, 20), sample('memory', 0, 900, 12), sample('memory', 2, 800, 15)
  ]
  t.same(rows(setting, ['bare', 'memory', 'sqlite'], 'bare', results), [
    '| put | 1 KB | 64 | bare | 1000 |  | 10.0 |  |',
    '| put | 1 KB | 64 | memory | 900 | **0.80** (0.50–0.90) | 15.0 | **1.20** (1.00–1.50) |'
  ])
  t.equal(heading('bare').length, 2)
  t.end()
})

await t.test('bench: what has no figure, or no baseline, has no ratio', (t) => {
  const results = [sample('bare', 0, 1000, 10), sample('etcd-gateway', 0, 500, undefined)]
  t.same(rows(setting, ['etcd-gateway'], 'bare', results), [
    '| put | 1 KB | 64 | etcd-gateway | 500 | **0.50** (0.50–0.50) | — | — |'
  ])
  t.same(rows(setting, ['etcd-gateway'], 'floor', results), ['| put | 1 KB | 64 | etcd-gateway | 500 | — | — | — |'])
  t.end()
})
