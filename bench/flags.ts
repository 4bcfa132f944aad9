import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { scenarios, type Scenario } from './scenarios.js'
import { sides } from './sides.js'

/** What `npm run bench -- --flag value` asks for. */
export interface Flags {
  readonly sides: readonly string[]
  readonly baseline: string
  readonly scenarios: readonly Scenario[]
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly folder: string
}

/**
 * Reads the flags; each has a default.
 *
 * @throws Error, saying which flag is wrong
 */
export function readFlags (args: string[]): Flags {
  const { values } = parseArgs({
    args,
    options: {
      sides: { type: 'string', default: 'bare,memory,sqlite' },
      baseline: { type: 'string', default: 'bare' },
      scenarios: { type: 'string', default: 'PUT,412,GET,304' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      folder: { type: 'string', default: tmpdir() }
    }
  })
  const chosen = choose('sides', values.sides, Object.keys(sides))
  const names = choose('scenarios', values.scenarios, scenarios.map(({ name }) => name))
  const [baseline] = choose('baseline', values.baseline, Object.keys(sides)) as [string]
  return {
    sides: [...new Set([baseline, ...chosen])],
    baseline,
    scenarios: scenarios.filter(({ name }) => names.includes(name)),
    rounds: count('rounds', values.rounds, 100),
    seconds: count('seconds', values.seconds, 600),
    connections: count('connections', values.connections, 1000),
    folder: values.folder
  }
}

function choose (flag: string, text: string, known: readonly string[]): string[] {
  const names = text.split(',')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`--${flag}: "${unknown}" is none of ${known.join(', ')}.`)
  return names
}

// Bounded, so that a slip of the finger is no night of load.
function count (flag: string, text: string, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`--${flag}: must be a whole number from 1 to ${most}.`)
  }
  return value
}
