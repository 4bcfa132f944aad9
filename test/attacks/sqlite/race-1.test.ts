import t from 'tap'
import { fileOf } from '../../support/sqlite/handles.js'
import { raceSuite } from '../../support/race/suite.js'

await t.test('races on the SQLite adapter, one process', (t) => raceSuite(t, { newStorage: (t) => `sqlite:${fileOf(t)}`, processes: 1 }))
