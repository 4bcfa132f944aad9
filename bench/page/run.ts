// `npm run bench:page`: draws the charts of docs/reference/performance.md, and fills its tables, from the JSON of the
// runs.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bars } from './bars.js'
import { chartsOf } from './charts.js'
import { filledPage } from './parts.js'

const PAGE = 'docs/reference/performance.md'
const FOLDER = 'docs/reference/performance'

mkdirSync(FOLDER, { recursive: true })
const records = Object.fromEntries(readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as unknown]))
const charts = chartsOf(records)
for (const [name, chart] of charts) writeFileSync(join(FOLDER, `${name}.svg`), chart)
writeFileSync(PAGE, filledPage(readFileSync(PAGE, 'utf8'), bars, records, [...charts.keys()]))
