// `npm run bench:growth`: what a call costs as something grows, and the exponent of its growth.
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { choose, wholeNumber } from '../flags.js'
import { commandOf, machine, writeJson } from '../record.js'
import { median, row } from '../report.js'
import { among } from './among.js'
import { dimensions } from './dimensions.js'
import { exponentOf, type Point } from './exponent.js'

/** How one series grows. */
export interface Series {
  readonly dimension: string
  readonly unit: string
  readonly name: string
  readonly points: readonly Point[]
  readonly exponent: number
}

const args = process.argv.slice(2)
const { values } = parseArgs({
  args,
  options: {
    dimensions: { type: 'string', default: dimensions.map(({ name }) => name).join() },
    // Only the first sizes of each, for a quick look.
    sizes: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'string' }
  }
})
const chosen = choose('dimensions', values.dimensions, dimensions.map(({ name }) => name))
const most = wholeNumber('sizes', values.sizes, 100)
const rounds = wholeNumber('rounds', values.rounds, 100)
const run = { seconds: wholeNumber('seconds', values.seconds, 600), folder: values.folder }

console.log(`${machine}; CPU µs per call, median of ${rounds} rounds of ${run.seconds} s\n`)
const series: Series[] = []
for (const { name: dimension, unit, sizes, series: names, measure } of dimensions) {
  if (!chosen.includes(dimension)) continue
  const shown = sizes.slice(0, most)
  console.log(row([unit, ...shown.map(String), 'exponent']))
  console.log(row(['---', ...shown.map(() => '---'), '---']))
  for (const name of names) {
    const points: Point[] = []
    for (const size of shown) {
      const costs: number[] = []
      for (let round = 0; round < rounds; round++) costs.push(await measure(name, size, run))
      points.push([size, median(costs)])
    }
    const exponent = exponentOf(points)
    series.push({ dimension, unit, name, points, exponent })
    console.log(row([name, ...points.map(([, cost]) => cost.toFixed(1)), `**${exponent.toFixed(2)}**`]))
  }
  console.log()
}
const { bytes } = await among('memory read', 10_000, { ...run, seconds: 1 })
console.log(`In the memory adapter an entity of 1 KB takes ${Math.round(bytes)} bytes of the heap.`)
if (values.json !== undefined) {
  const command = commandOf('bench:growth', args)
  writeJson(values.json, { command, date: new Date().toISOString(), machine, bytes, series })
}
