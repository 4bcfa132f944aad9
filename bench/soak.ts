// `npm run bench:soak`: the memory of a server under a load that lasts.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { choose, wholeNumber } from './flags.js'
import { slopeOf, type Point } from './growth/exponent.js'
import { load } from './load/load.js'
import { commandOf, machine, writeJson } from './record.js'
import { scenarios } from './scenarios/index.js'
import { ServerProcess } from './server-process.js'
import { sideOf, sides } from './sides/index.js'

const MEGABYTE = 2 ** 20

const args = process.argv.slice(2)
const { values } = parseArgs({
  args,
  options: {
    side: { type: 'string', default: 'memory' },
    scenario: { type: 'string', default: 'put' },
    seconds: { type: 'string', default: '300' },
    connections: { type: 'string', default: '64' },
    json: { type: 'string' }
  }
})
const [side] = choose('side', values.side, Object.keys(sides)) as [string]
const [scenario] = choose('scenario', values.scenario, scenarios.map(({ name }) => name)) as [string]
const seconds = wholeNumber('seconds', values.seconds, 3600)
const connections = wholeNumber('connections', values.connections, 1000)

const folder = await mkdtemp(join(tmpdir(), 'bench-'))
const server = await ServerProcess.start(side, folder)
try {
  const { dialect = 'offers', hasTags = true } = sideOf(side)
  const warmUp = { seconds: 1, requests: 0 }
  const job = { urls: [server.url], scenario, dialect, connections, kilobytes: 1, hasTags, warmUp, seconds }
  const loaded = load(job)
  const heap: Point[] = []
  const resident: Point[] = []
  const start = performance.now()
  const pause = Math.max(200, seconds * 10)
  do {
    const { heapUsed, rss } = await server.memory()
    const at = (performance.now() - start) / 1000
    heap.push([at, heapUsed / MEGABYTE])
    resident.push([at, rss / MEGABYTE])
  } while (await Promise.race([delay(pause, 'under way'), loaded]) === 'under way')
  const { answered } = await loaded
  // The first third is warming up: code that is compiled, pools that fill.
  const settled = heap.slice(Math.floor(heap.length / 3))
  const perMinute = slopeOf(settled) * 60
  console.log(`${machine}; ${side}, ${scenario}, ${connections} connections: ${answered} requests in ${seconds} s.`)
  console.log(`Heap after a collection: ${shown(heap.at(0)!)} at first, ${shown(heap.at(-1)!)} at the end; ` +
    `in the last two thirds it grew by ${perMinute.toFixed(3)} MB a minute.`)
  console.log(`Resident: ${shown(resident.at(0)!)} at first, ${shown(resident.at(-1)!)} at the end.`)
  if (values.json !== undefined) {
    const command = commandOf('bench:soak', args)
    const date = new Date().toISOString()
    writeJson(values.json, { command, date, machine, side, scenario, answered, perMinute, heap, resident })
  }
} finally {
  await server.stop()
  await rm(folder, { recursive: true })
}

function shown ([, megabytes]: Point): string {
  return `${megabytes.toFixed(1)} MB`
}
