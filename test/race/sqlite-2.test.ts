import t from 'tap'
import { raceSuite } from './suite.js'

await t.test('races on the SQLite adapter, two processes on one file', (t) => raceSuite(t, { storage: 'sqlite', processes: 2 }))
