import { readFileSync } from 'node:fs'
import t from 'tap'

// Which files a guide quotes, each whole in a block of its own. They are compiled and run here or in integrations/.
const QUOTED: Record<string, string[]> = {
  'choosing-an-adapter': ['test/docs/copy-entities.ts'],
  'write-an-adapter': ['offers.sql', 'offer.ts', 'offers-adapter.ts', 'anything.ts', 'offers-adapter.test.ts'].map(
    (name) => `test/docs/write-an-adapter/${name}`
  ),
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
