import { goodputOf } from '../contention/theory.js'
import { dimensions } from '../growth/dimensions.js'
import type { Point } from '../growth/exponent.js'
import type { Series } from '../growth/run.js'
import { samplesOf, type Record, type Result } from '../record.js'
import { median } from '../report.js'
import { barChart, lineChart, type Group } from './svg.js'

interface Growth { readonly series: readonly Series[] }
interface Contention { readonly seen: readonly Point[] }
interface Soak { readonly heap: readonly Point[], readonly resident: readonly Point[] }

/** The records by name, as they are in the folder; each is there or is not. */
export type Records = Readonly<globalThis.Record<string, unknown>>

/** The charts that the records allow: name and SVG. */
export function chartsOf (records: Records): Map<string, string> {
  const charts = new Map<string, string>()
  const draw = <R>(name: string, record: string, chart: (content: R) => string): void => {
    if (records[record] !== undefined) charts.set(name, chart(records[record] as R))
  }
  draw<Record>('in-process', 'in-process', ({ results }) =>
    barChart('In process: CPU µs per request, 1 KB', groups(results, 1, 1, ({ cpu }) => cpu)))
  draw<Record>('in-process-64', 'in-process', ({ results }) =>
    barChart('In process: CPU µs per request, 64 KB', groups(results, 64, 1, ({ cpu }) => cpu)))
  draw<Record>('http', 'http', ({ results }) =>
    barChart('Over HTTP: CPU µs per request, 1 KB, 32 connections', groups(results, 1, 32, ({ cpu }) => cpu)))
  draw<Record>('engines', 'engines', ({ results }) =>
    barChart('Requests a second, 1 KB, 64 connections', groups(results, 1, 64, ({ perSecond }) => perSecond)))
  draw<Record>('lone', 'lone', ({ results }) =>
    barChart('Milliseconds for a request, 1 KB, a lone client', groups(results, 1, 1, milliseconds)))
  draw<Record>('peers', 'peers', ({ results }) =>
    barChart('Requests a second, 1 KB, 64 connections', groups(results, 1, 64, ({ perSecond }) => perSecond)))
  for (const { name, unit } of dimensions) {
    draw<Growth>(`growth-${name}`, 'growth', ({ series }) => {
      const own = series.filter(({ dimension }) => dimension === name)
      const lines = own.map(({ name, points, exponent }) => ({ name: `${name}: ${exponent.toFixed(2)}`, points }))
      return lineChart('CPU µs per call, and the exponent', unit, lines, true)
    })
  }
  draw<Contention>('contention', 'contention', ({ seen }) => lineChart(
    'Edits of one entity that succeed in a think time',
    'writers',
    [{ name: 'seen', points: seen }, { name: 'expected', points: seen.map(([n]) => [n, goodputOf(n)] as const) }],
    true
  ))
  draw<Soak>('soak', 'soak', ({ heap, resident }) => lineChart(
    'Memory of the server in MB',
    'seconds under load',
    [{ name: 'heap in use', points: heap }, { name: 'resident', points: resident }],
    false
  ))
  return charts
}

const milliseconds = ({ perSecond }: Result): number => 1000 / perSecond

/** The medians of one setting: a group for each scenario, a bar for each side. */
function groups (
  results: readonly Result[],
  kilobytes: number,
  connections: number,
  figure: (result: Result) => number | undefined
): Group[] {
  const distinct = (field: 'scenario' | 'side'): string[] => [...new Set(results.map((result) => result[field]))]
  return distinct('scenario').map((scenario) => ({
    name: scenario,
    bars: distinct('side').flatMap((side) => {
      const values = samplesOf(results, { scenario, side, kilobytes, connections }).flatMap((one) => figure(one) ?? [])
      return values.length === 0 ? [] : [[side, median(values)] as const]
    })
  })).filter(({ bars }) => bars.length > 0)
}
