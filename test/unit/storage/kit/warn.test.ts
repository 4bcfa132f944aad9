import t from 'tap'
import { warn } from '../../../../lib/storage/kit/warn.js'
import { warningsOf } from '../../../support/postgres/subjects.js'

await t.test('warn: a warning is one of the process, with a code that can be looked for', async (t) => {
  const warnings = await warningsOf(async () => { warn('FST_IF_MATCH_POSTGRES_UNLOGGED', 'a message') })
  t.strictSame(warnings, [{ code: 'FST_IF_MATCH_POSTGRES_UNLOGGED', message: 'a message' }])
})
