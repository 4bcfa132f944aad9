import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const HERE = 'test/example/readings'
const PAGE = readFileSync('docs/reference/offers-api.md', 'utf8')

await t.test('every reading of the page has one test, and no test has a number that the page lacks', async (t) => {
  const tests = readdirSync(HERE)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(HERE, name), 'utf8'))
    .join('\n')
  const read = [...PAGE.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number))
  const tested = [...tests.matchAll(/t\.test\('reading (\d+): /g)].map(([, number]) => Number(number))
  t.strictSame(tested.sort((a, b) => a - b), read)
  t.strictSame(read, read.map((_, index) => index + 1), 'no number is missing or there twice')
})
