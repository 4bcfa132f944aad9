import t from 'tap'
import { fileOf } from '../storage/sqlite-handles.js'
import { raceSuite } from './suite.js'

await t.test('races on the SQLite adapter, one process', (t) => raceSuite(t, { newStorage: (t) => `sqlite:${fileOf(t)}`, processes: 1 }))
