import type { Sample } from './measure.js'

/** The samples of one scenario, by side; those at one place of their lists are of one round. */
export type Samples = ReadonlyMap<string, readonly Sample[]>

/** The rows of one scenario, every side but the baseline beside it, as lines of the table that `heading` begins. */
export function rows (scenario: string, samples: Samples, baseline: string): string[] {
  const base = samples.get(baseline)!
  return [...samples].filter(([side]) => side !== baseline).map(([side, own]) => row([
    scenario,
    side,
    Math.round(median(base.map(({ perSecond }) => perSecond))).toString(),
    Math.round(median(own.map(({ perSecond }) => perSecond))).toString(),
    ratio(own.map(({ perSecond }, round) => perSecond / base[round]!.perSecond)),
    median(base.map(({ cpu }) => cpu)).toFixed(1),
    median(own.map(({ cpu }) => cpu)).toFixed(1),
    ratio(own.map(({ cpu }, round) => cpu / base[round]!.cpu))
  ]))
}

export function heading (baseline: string): string[] {
  const cells = [
    'scenario',
    'side',
    `${baseline}, req/s`,
    'req/s',
    'ratio',
    `${baseline}, CPU µs/req`,
    'CPU µs/req',
    'ratio'
  ]
  return [row(cells), row(cells.map(() => '---'))]
}

/** The middle of an odd number of values; between the two middle ones of an even number. */
export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

// Of the rounds: the median, and the least and the greatest.
function ratio (values: readonly number[]): string {
  return `**${median(values).toFixed(2)}** (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`
}

function row (cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
