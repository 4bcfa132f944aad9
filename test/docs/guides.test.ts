import { readFileSync } from 'node:fs'
import t from 'tap'
import { app as variants } from './variants.js'

// Which files a guide quotes, each whole in a block of its own. They are compiled and run here or in integrations/.
const QUOTED: Record<string, string[]> = {
  'choosing-an-adapter': ['test/docs/copy-entities.ts'],
  'write-an-adapter': ['offers.sql', 'offer.ts', 'offers-adapter.ts', 'anything.ts', 'offers-adapter.test.ts'].map(
    (name) => `test/docs/write-an-adapter/${name}`
  ),
  variants: ['test/docs/variants.ts'],
  orm: [
    ...['offers.sql', 'offers-adapter.ts', 'offers-adapter.test.ts'].map((name) => `integrations/drizzle/${name}`),
    'integrations/typeorm/offers-adapter.ts',
    'integrations/number-of.ts'
  ]
}

for (const [guide, files] of Object.entries(QUOTED)) {
  await t.test(`guide ${guide}: the code is that of files that are compiled and run`, async (t) => {
    const blocks = readFileSync(`docs/guides/${guide}.md`, 'utf8').split(/^```\w*\n/m)
    for (const file of files) t.ok(blocks.includes(readFileSync(file, 'utf8')), file)
  })
}

await t.test('guide variants: each form has a tag of its own, and a write takes either', async (t) => {
  t.teardown(async () => { await variants.close() })
  const payload = { title: 'a', price: 1 }
  const { headers: { etag } } =
    await variants.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-none-match': '*' }, payload })
  const read = async (headers: Record<string, string>) => await variants.inject({ url: '/offers/1', headers })
  t.equal((await read({})).headers.etag, etag)
  const csv = await read({ accept: 'text/csv', 'if-none-match': String(etag) })
  t.same([csv.statusCode, csv.body], [200, 'title,price\na,1\n'])
  const tag = String(csv.headers.etag)
  t.equal(tag, String(etag).replace(/"$/, ';csv"'))
  t.equal((await read({ accept: 'text/csv', 'if-none-match': tag })).statusCode, 304)
  const put = await variants.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': tag }, payload })
  t.equal(put.statusCode, 200)
})
