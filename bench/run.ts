import { availableParallelism, cpus } from 'node:os'
import { readFlags } from './flags.js'
import { measure, type Sample } from './measure.js'
import { heading, rows } from './report.js'

const { sides, baseline, scenarios, rounds, seconds, connections, folder } = readFlags(process.argv.slice(2))

const machine = `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model})`
const extent = `${connections} connections, ${rounds} rounds of ${seconds} s`
console.log(`${machine}, ${extent}; ratio: median (least–greatest)\n`)
for (const line of heading(baseline)) console.log(line)
for (const scenario of scenarios) {
  const samples = new Map<string, Sample[]>(sides.map((side) => [side, []]))
  for (let round = 0; round < rounds; round++) {
    // Whoever was first is last in the next round, so that a machine that warms up favours nobody.
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      samples.get(side)!.push(await measure({ side, scenario, connections, seconds, folder }))
    }
  }
  for (const line of rows(scenario.name, samples, baseline)) console.log(line)
}
