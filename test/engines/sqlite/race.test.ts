import t from 'tap'
import { FEW_AT_HOME } from '../../support/race/extent.js'
import { raceSuite } from '../../support/race/suite.js'
import { fileOf } from '../../support/sqlite/handles.js'

for (const processes of [1, 2]) {
  await t.test(`races on the SQLite adapter, server processes: ${processes}`, async (t) => {
    await raceSuite(t, { newStorage: (t) => `sqlite:${fileOf(t)}`, processes, ...FEW_AT_HOME })
  })
}
