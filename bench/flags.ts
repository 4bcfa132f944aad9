import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { scenarios } from './scenarios/index.js'
import { sides } from './sides/index.js'

/** What `npm run bench -- --flag value` asks for. */
export interface Flags {
  readonly sides: readonly string[]
  readonly baseline: string
  readonly scenarios: readonly string[]
  readonly rounds: number
  readonly seconds: number
  readonly connections: readonly number[]
  readonly sizes: readonly number[]
  readonly inProcess: boolean
  readonly folder: string
  /** The file that gets the samples as JSON. */
  readonly json: string | undefined
  /** The folder that gets a CPU profile of each server process. */
  readonly profiles: string | undefined
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
      sides: { type: 'string', default: 'bare,hand,memory,sqlite' },
      baseline: { type: 'string', default: 'floor' },
      scenarios: { type: 'string', default: 'put,put-412,get,get-304' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      size: { type: 'string', default: '1' },
      'in-process': { type: 'boolean', default: false },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      profiles: { type: 'string' }
    }
  })
  const chosen = choose('sides', values.sides, Object.keys(sides))
  const names = choose('scenarios', values.scenarios, scenarios.map(({ name }) => name))
  const [baseline] = choose('baseline', values.baseline, Object.keys(sides)) as [string]
  const inProcess = values['in-process']
  const flags: Flags = {
    sides: [...new Set([baseline, ...chosen])],
    baseline,
    scenarios: scenarios.map(({ name }) => name).filter((name) => names.includes(name)),
    rounds: wholeNumber('rounds', values.rounds, 100),
    seconds: wholeNumber('seconds', values.seconds, 600),
    // There is one client in process.
    connections: inProcess ? [1] : wholeNumbers('connections', values.connections, 1000),
    sizes: wholeNumbers('size', values.size, 1024),
    inProcess,
    folder: values.folder,
    json: values.json,
    profiles: values.profiles
  }
  const remote = flags.sides.find((name) => sides[name]!.app === undefined)
  if (inProcess && remote !== undefined) throw new Error(`--in-process: "${remote}" is a process of its own.`)
  if (inProcess && flags.profiles !== undefined) throw new Error('--profiles: there is no server process in process.')
  return flags
}

/** Names of a list, with a comma between them. */
export function choose (flag: string, text: string, known: readonly string[]): string[] {
  const names = text.split(',')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`--${flag}: "${unknown}" is none of ${known.join(', ')}.`)
  return names
}

/** Bounded, so that a slip of the finger is no night of load. */
export function wholeNumber (flag: string, text: string, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`--${flag}: must be a whole number from 1 to ${most}.`)
  }
  return value
}

/** Several of them, with a comma between them. */
export function wholeNumbers (flag: string, text: string, most: number): number[] {
  return text.split(',').map((one) => wholeNumber(flag, one, most))
}
