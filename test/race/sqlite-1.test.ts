import t from 'tap'
import { raceSuite } from './suite.js'

await t.test('races on the SQLite adapter, one process', (t) => raceSuite(t, { storage: 'sqlite', processes: 1 }))
