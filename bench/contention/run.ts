// `npm run bench:contention`: many clients edit one entity. Each reads, thinks, writes under the tag, and after a 412
// begins again.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { wholeNumber } from '../flags.js'
import type { Point } from '../growth/exponent.js'
import { commandOf, machine, writeJson } from '../record.js'
import { row } from '../report.js'
import { goodputOf, triesOf } from './theory.js'
import { makeThing, randomTime } from './thing.js'

const args = process.argv.slice(2)
const { values } = parseArgs({
  args,
  options: {
    seconds: { type: 'string', default: '20' },
    edits: { type: 'string', default: '300' },
    json: { type: 'string' }
  }
})
const seconds = wholeNumber('seconds', values.seconds, 600)
const edits = wholeNumber('edits', values.edits, 10_000)

const WRITERS = [1, 2, 4, 8, 16, 32, 64]
const WRITER_THINK_MS = 50

const LOADS = [0.1, 0.3, 0.5, 0.8] // arrivals per think time
const EDIT_THINK_MS = 20

const thing = await makeThing()

/** Edits that succeed in a think time, with writers that never rest. */
async function goodput (writers: number): Promise<number> {
  const start = performance.now()
  const end = start + seconds * 1000
  let successes = 0
  await Promise.all(Array.from({ length: writers }, async () => {
    while (performance.now() < end) if (await thing.edit(randomTime(WRITER_THINK_MS))) successes++
  }))
  return successes / (performance.now() - start) * WRITER_THINK_MS
}

/** How often each edit is tried, where edits arrive at random. */
async function tries (load: number): Promise<number[]> {
  const all: Array<Promise<number>> = []
  let due = performance.now()
  for (let arrived = 0; arrived < edits; arrived++) {
    due += randomTime(EDIT_THINK_MS / load)
    await delay(Math.max(0, due - performance.now()))
    all.push(untilDone())
  }
  return await Promise.all(all)
}

async function untilDone (): Promise<number> {
  for (let tries = 1; ; tries++) if (await thing.edit(EDIT_THINK_MS)) return tries
}

console.log(`${machine}\n`)
console.log(`${row(['writers', 'edits per think time, expected', 'seen'])}\n${row(['---', '---', '---'])}`)
const seen: Point[] = []
for (const writers of WRITERS) {
  seen.push([writers, await goodput(writers)])
  console.log(row([String(writers), goodputOf(writers).toFixed(2), seen.at(-1)![1].toFixed(2)]))
}
console.log('\n| arrivals per think time | tries expected | tries seen, on average | most |\n| --- | --- | --- | --- |')
for (const load of LOADS) {
  const counts = await tries(load)
  const mean = counts.reduce((sum, count) => sum + count, 0) / edits
  console.log(row([String(load), triesOf(load).toFixed(2), mean.toFixed(2), String(Math.max(...counts))]))
}
await thing.close()
if (values.json !== undefined) {
  const expected = WRITERS.map((writers) => [writers, goodputOf(writers)])
  const command = commandOf('bench:contention', args)
  writeJson(values.json, { command, date: new Date().toISOString(), machine, expected, seen })
}
