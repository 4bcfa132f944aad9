// `npm run bench:page`: draws the charts of docs/reference/performance.md, and fills its table of bars, from the JSON of
// the runs.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bars } from './bars.js'
import { chartsOf } from './charts.js'
import { tableOfBars, tableOfRuns, withPart } from './parts.js'

const PAGE = 'docs/reference/performance.md'
const FOLDER = 'docs/reference/performance'

const records = Object.fromEntries(readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as unknown]))
for (const [name, chart] of chartsOf(records)) writeFileSync(join(FOLDER, `${name}.svg`), chart)
const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : ''
writeFileSync(PAGE, withPart(withPart(page, 'bars', tableOfBars(bars, records)), 'runs', tableOfRuns(records)))
