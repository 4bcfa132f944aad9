// `npm run bench`: what the plugin costs beside other ways to the same answers.
import { readFlags } from './flags.js'
import { measureInProcess } from './in-process/measure.js'
import { measure } from './measure.js'
import { commandOf, machine, writeJson, type Result } from './record.js'
import { heading, rows } from './report.js'
import { sideOf } from './sides/index.js'

const args = process.argv.slice(2)
const flags = readFlags(args)
const { sides, baseline, scenarios, rounds, seconds, folder, profiles } = flags
const run = flags.inProcess ? measureInProcess : measure
const results: Result[] = []

console.log(`${machine}; ${rounds} rounds of ${seconds} s; ratio: median (least–greatest)`)
if (!flags.inProcess) console.log(await ceiling())
console.log()
for (const line of heading(baseline)) console.log(line)
for (const kilobytes of flags.sizes) {
  for (const connections of flags.connections) {
    for (const scenario of scenarios) {
      const setting = { scenario, connections, kilobytes }
      const able = sides.filter((side) => sideOf(side).scenarios.includes(scenario))
      for (let round = 0; round < rounds; round++) {
        // Whoever was first is last in the next round, so that a machine that warms up favours nobody.
        for (const side of round % 2 === 0 ? able : able.toReversed()) {
          results.push({ ...setting, side, round, ...await run({ ...setting, side, seconds, folder, profiles }) })
        }
      }
      for (const line of rows(setting, able, baseline, results)) console.log(line)
    }
  }
}
const shares = results.flatMap(({ side, generator }) => side === 'wire' ? [] : generator ?? [])
if (shares.length > 0) {
  console.log(`\nThe generator of load used ${percent(Math.max(...shares))} of a core at most.`)
}
const command = commandOf('bench', args)
if (flags.json !== undefined) writeJson(flags.json, { command, date: new Date().toISOString(), machine, results })

/** What the generator of load reaches against a server that does nothing. */
async function ceiling (): Promise<string> {
  const [connections, kilobytes] = [Math.max(...flags.connections), Math.min(...flags.sizes)]
  const samples: number[] = []
  for (const scenario of ['put', 'get']) {
    const { perSecond } = await measure({ side: 'wire', scenario, connections, kilobytes, seconds, folder })
    samples.push(Math.round(perSecond))
  }
  return `The generator of load reaches ${samples.join(' req/s by put, and ')} by get, ` +
    `of ${kilobytes} KB over ${connections} connections to a server that does nothing.`
}

function percent (part: number): string {
  return `${Math.round(part * 100)} %`
}
