import { readFileSync } from 'node:fs'
import t from 'tap'
import { bars, isMet, valueOf, type Bar } from '../../../bench/page/bars.js'
import { chartsOf } from '../../../bench/page/charts.js'
import { filledPage } from '../../../bench/page/parts.js'
import { barChart, lineChart, shortNumber } from '../../../bench/page/svg.js'
import type { Result } from '../../../bench/record.js'
import { scenarioOf } from '../../../bench/scenarios/index.js'
import { sides } from '../../../bench/sides/index.js'

const result = (side: string, round: number, cpu: number, perSecond: number): Result =>
  ({ side, scenario: 'put', connections: 1, kilobytes: 1, round, cpu, perSecond })

const results = [
  ...[20, 10, 30].map((cpu, round) => result('floor', round, cpu, 1e6 / cpu)),
  ...[40, 60, 50].map((cpu, round) => result('memory', round, cpu, 1e6 / cpu))
]
const put = { side: 'memory', scenario: 'put' }
const figure = { name: 'put', own: put, base: { ...put, side: 'floor' }, limit: 1.05 }
const bar = (metric: Bar['metric']): Bar => ({ name: 'CPU', record: 'in-process', metric, figures: [figure] })
const record = { command: 'npm run bench', date: '2026-11-29T05:00:00.000Z', machine: 'a machine', results }

await t.test('bench: a bar compares medians, and says on which side of its limit it wants to be', (t) => {
  t.equal(valueOf(figure, 'cpu', results), 2.5)
  t.equal(valueOf(figure, 'perSecond', results), 0.4)
  t.equal(valueOf(figure, 'time', results), 2.5)
  t.equal(valueOf({ ...figure, base: { ...put, side: 'bare' } }, 'cpu', results), undefined)
  t.same([isMet(1.05, 1.05, 'cpu'), isMet(1.06, 1.05, 'cpu'), isMet(1.05, 1.05, 'time')], [true, false, true])
  t.same([isMet(2, 2, 'perSecond'), isMet(1.9, 2, 'perSecond')], [true, false])
  t.end()
})

await t.test('bench: a page is filled between its comments, and filled again it is the same', (t) => {
  const page = 'a\n<!-- begin: bars -->\n<!-- end: bars -->\nb\n<!-- begin: http -->\n<!-- end: http -->\n' +
    '<!-- begin: in-process -->\n<!-- end: in-process -->\n<!-- begin: runs -->\n<!-- end: runs -->\nc'
  const records = { 'in-process': record }
  const filled = filledPage(page, [bar('cpu'), bar('perSecond')], records, ['in-process'])
  t.match(filled, '\n| CPU | put | ≤ 1.05 | 2.50 | **no** | in-process |\n')
  t.match(filled, '\n| CPU | put | ≥ 1.05 | 0.40 | **no** | in-process |\n')
  t.match(filled, '\n<!-- begin: http -->\n\nNot measured yet.\n\n<!-- end: http -->\n')
  t.match(filled, '\n![in-process](performance/in-process.svg)\n')
  t.match(filled, '\n| in-process | `npm run bench` | 2026-11-29 | a machine |\n')
  t.equal(filledPage(filled, [bar('cpu'), bar('perSecond')], records, ['in-process']), filled)
  t.end()
})

await t.test('bench: each bar is about sides that have the scenario, and each part of the page can be filled', (t) => {
  for (const { figures } of bars) {
    for (const { side, scenario } of figures.flatMap(({ own, base }) => [own, base])) {
      if (side in sides) t.ok(sides[side]!.scenarios.includes(scenarioOf(scenario).name), `${side} ${scenario}`)
    }
  }
  const growth = {
    series: ['entities', 'size', 'tags', 'connections', 'processes'].map((dimension) =>
      ({ dimension, name: 'memory', points: [[1, 1], [10, 12]], exponent: 1.08 }))
  }
  const points = [[0, 20], [60, 21]]
  const charts = chartsOf({
    ...Object.fromEntries(['in-process', 'http', 'engines', 'lone', 'peers'].map((name) => [name, record])),
    growth,
    contention: { seen: [[1, 1], [2, 1.3]] },
    soak: { heap: points, resident: points }
  })
  const page = readFileSync('docs/reference/performance.md', 'utf8')
  const parts = [...page.matchAll(/<!-- begin: (.*) -->/g)].map(([, name]) => name!)
  t.same(parts.filter((name) => name !== 'bars' && name !== 'runs').sort(), [...charts.keys()].sort())
  t.end()
})

await t.test('bench: a chart has every bar and line, no number that is none, and text that is escaped', (t) => {
  const bars = barChart('a & b', [{ name: 'put', bars: [['floor', 20], ['memory', 5]] }])
  t.equal(bars.match(/<rect/g)?.length, 2)
  t.match(bars, 'a &#38; b')
  t.match(bars, 'prefers-color-scheme: dark')
  for (const isLog of [true, false]) {
    const lines = lineChart('c', 'entities', [{ name: 'memory', points: [[100, 1], [10_000, 80]] }], isLog)
    t.equal(lines.match(/<polyline/g)?.length, 1)
    t.match(lines, '>10,000<')
    t.notMatch(lines, /NaN|Infinity|undefined/)
  }
  t.same([1234.5, 12.34, 0.456, 10].map(shortNumber), ['1,235', '12.3', '0.46', '10'])
  t.end()
})
