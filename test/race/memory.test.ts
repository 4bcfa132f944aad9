import t from 'tap'
import { raceSuite } from './suite.js'

await t.test('races on the memory adapter', (t) => raceSuite(t, { storage: 'memory', processes: 1 }))
