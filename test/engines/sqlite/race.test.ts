import t from 'tap'
import { FEW_AT_HOME } from '../../support/race/extent.js'
import { raceSuite } from '../../support/race/suite.js'
import { fileOf } from '../../support/sqlite/handles.js'

await t.test('races on the SQLite adapter', async (t) => {
  await raceSuite(t, { newStorage: (t) => `sqlite:${fileOf(t)}`, processes: 2, ...FEW_AT_HOME })
})
