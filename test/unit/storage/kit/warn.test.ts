import t from 'tap'
import { warn } from '../../../../lib/storage/kit/warn.js'
import { warningsOf } from '../../../support/postgres/subjects.js'

await t.test('postgres: a warning is one of the process, with a code to look for', async (t) => {
  const warnings = await warningsOf(async () => { warn('FST_IF_MATCH_POSTGRES_UNLOGGED', 'a message') })
  t.strictSame(warnings, [{ code: 'FST_IF_MATCH_POSTGRES_UNLOGGED', message: 'a message' }])
})
