import t from 'tap'
import { fileOf } from '../storage/sqlite-handles.js'
import { raceSuite } from './suite.js'

await t.test('races on the SQLite adapter, two processes on one file', (t) => raceSuite(t, { newStorage: (t) => `sqlite:${fileOf(t)}`, processes: 2 }))
