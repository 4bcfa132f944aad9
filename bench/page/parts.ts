import type { Record } from '../record.js'
import { row } from '../report.js'
import { isMet, valueOf, type Bar } from './bars.js'
import type { Records } from './charts.js'

/** Puts a text between the comments that name a part of the page. */
export function withPart (page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`]
  const [at, to] = [page.indexOf(begin), page.indexOf(end)]
  if (at < 0 || to < at) throw new Error(`the page has no part "${name}".`)
  return `${page.slice(0, at + begin.length)}\n\n${content}\n\n${page.slice(to)}`
}

const PART = /<!-- begin: (.*) -->/g

/**
 * Fills every part of the page: `bars`, `runs`, and the charts by their names.
 *
 * @param charts the names of those that are drawn
 */
export function filledPage (page: string, bars: readonly Bar[], records: Records, charts: readonly string[]): string {
  const names = [...page.matchAll(PART)].map(([, name]) => name!)
  const contentOf = (name: string): string => {
    if (name === 'bars') return tableOfBars(bars, records)
    if (name === 'runs') return tableOfRuns(records)
    return charts.includes(name) ? `![${name}](performance/${name}.svg)` : 'Not measured yet.'
  }
  return names.reduce((text, name) => withPart(text, name, contentOf(name)), page)
}

/** Each bar with its figures, and whether it is met. */
export function tableOfBars (bars: readonly Bar[], records: Records): string {
  const lines = [row(['bar', 'figure', 'limit', 'measured', 'met', 'record']), row(Array(6).fill('---') as string[])]
  for (const { name, record, metric, figures } of bars) {
    const results = (records[record] as Record | undefined)?.results ?? []
    for (const [index, figure] of figures.entries()) {
      const value = valueOf(figure, metric, results)
      lines.push(row([
        index === 0 ? name : '',
        figure.name,
        `${metric === 'perSecond' ? '≥' : '≤'} ${figure.limit}`,
        value === undefined ? '—' : value.toFixed(2),
        value === undefined ? '—' : isMet(value, figure.limit, metric) ? 'yes' : '**no**',
        index === 0 ? record : ''
      ]))
    }
  }
  return lines.join('\n')
}

/** Each record with the command that made it, the day and the machine. */
export function tableOfRuns (records: Records): string {
  const lines = Object.entries(records).map(([name, content]) => {
    const { command, date, machine } = content as Record
    return row([name, `\`${command}\``, date.slice(0, 10), machine])
  })
  return [row(['record', 'command', 'day', 'machine']), row(Array(4).fill('---') as string[]), ...lines].join('\n')
}
