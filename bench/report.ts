import type { Sample } from './measure.js'
import { samplesOf, type Result } from './record.js'

/** Which samples stand in one part of the table. */
export interface Setting { readonly scenario: string, readonly connections: number, readonly kilobytes: number }

/** The rows of one setting, the baseline first and every other side beside it. */
export function rows (setting: Setting, sides: readonly string[], baseline: string, results: readonly Result[]) {
  const base = samplesOf(results, { ...setting, side: baseline })
  return sides.flatMap((side) => {
    const own = samplesOf(results, { ...setting, side })
    if (own.length === 0) return []
    return [row([
      setting.scenario,
      `${setting.kilobytes} KB`,
      String(setting.connections),
      side,
      Math.round(median(own.map(({ perSecond }) => perSecond))).toString(),
      side === baseline ? '' : ratio(own, base, ({ perSecond }) => perSecond),
      shown(own.map(({ cpu }) => cpu)),
      side === baseline ? '' : ratio(own, base, ({ cpu }) => cpu)
    ])]
  })
}

/** The head of the table. */
export function heading (baseline: string): string[] {
  const cells = [
    'scenario', 'document', 'connections', 'side', 'req/s', `of ${baseline}'s`, 'CPU µs/req', `of ${baseline}'s`
  ]
  return [row(cells), row(cells.map(() => '---'))]
}

/** The middle of an odd number of values; between the two middle ones of an even number. */
export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

/** What two sides have of each other, round by round. Undefined: one of them has no such figure. */
export function ratios (
  own: readonly Result[],
  base: readonly Result[],
  figure: (sample: Sample) => number | undefined
): number[] | undefined {
  const values = own.map((sample, round) => figure(sample)! / figure(base[round] ?? sample)!)
  return base.length === 0 || values.some(Number.isNaN) ? undefined : values
}

// Of the rounds: the median, and the least and the greatest.
function ratio (own: readonly Result[], base: readonly Result[], figure: (sample: Sample) => number | undefined) {
  const values = ratios(own, base, figure)
  if (values === undefined) return '—'
  return `**${median(values).toFixed(2)}** (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`
}

function shown (values: ReadonlyArray<number | undefined>): string {
  return values.every((value) => value !== undefined) ? median(values).toFixed(1) : '—'
}

export function row (cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
