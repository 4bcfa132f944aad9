import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const HERE = new URL('./readings/', import.meta.url)
const PAGE = readFileSync(new URL('../../docs/reference/offers-api.md', import.meta.url), 'utf8')

await t.test('every reading of the page has one test, and no test has a number that the page lacks', async (t) => {
  const tests = readdirSync(HERE).filter((name) => name.endsWith('.test.ts')).map((name) => readFileSync(new URL(name, HERE), 'utf8')).join('\n')
  const read = [...PAGE.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number))
  const tested = [...tests.matchAll(/t\.test\('reading (\d+): /g)].map(([, number]) => Number(number))
  t.strictSame(tested.sort((a, b) => a - b), read)
  t.strictSame(read, read.map((_, index) => index + 1), 'no number is left out, or there twice')
})
