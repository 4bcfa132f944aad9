import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { dirname } from 'node:path'
import type { Sample } from './measure.js'

/** A sample, and what was measured. */
export interface Result extends Sample {
  readonly scenario: string
  readonly side: string
  readonly connections: number
  readonly kilobytes: number
  readonly round: number
}

/** What a run leaves behind, as JSON. */
export interface Record {
  readonly command: string
  readonly date: string
  readonly machine: string
  readonly results: readonly Result[]
}

export const machine = `Node.js ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model})`

/** The command as a reader would repeat it. */
export function commandOf (script: string, args: readonly string[]): string {
  const shown = args.filter((arg, index) => arg !== '--json' && args[index - 1] !== '--json')
  return ['npm run', script, ...shown.length > 0 ? ['--', ...shown] : []].join(' ')
}

/** A line for each sample, and five digits: what is written down is meant to be compared. */
export function writeJson (file: string, content: object): void {
  const short = (_: string, value: unknown): unknown => typeof value === 'number' ? Number(value.toPrecision(5)) : value
  const lines = Object.entries(content).map(([name, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map((item) => JSON.stringify(item, short)).join(',\n')}\n]`
      : JSON.stringify(value, short)
    return `"${name}": ${text}`
  })
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`)
}

/** The samples of one side in one setting, by round. */
export function samplesOf (
  results: readonly Result[],
  { scenario, side, connections, kilobytes }: Omit<Result, keyof Sample | 'round'>
): Result[] {
  return results
    .filter((result) => result.scenario === scenario && result.side === side)
    .filter((result) => result.connections === connections && result.kilobytes === kilobytes)
    .sort((one, other) => one.round - other.round)
}
