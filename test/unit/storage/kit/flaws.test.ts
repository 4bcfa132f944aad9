import t from 'tap'
import { assertNoFlaw } from '../../../../lib/storage/kit/flaws.js'

await t.test('options without a flaw pass', async (t) => {
  t.doesNotThrow(() => { assertNoFlaw('anAdapter', []) })
  t.doesNotThrow(() => { assertNoFlaw('anAdapter', [[false, '"a" must be a.'], [false, '"b" must be b.']]) })
})

await t.test('the first flaw is the error, and names what the options are for', async (t) => {
  const flaws = [[false, '"a" must be a.'], [true, '"b" must be b.'], [true, '"c" must be c.']] as const
  t.throws(() => { assertNoFlaw('anAdapter', flaws) }, {
    code: 'FST_IF_MATCH_INVALID_OPTIONS',
    message: /anAdapter are wrong: "b" must be b\.$/
  })
})
