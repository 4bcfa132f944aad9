import t from 'tap'
import { raceSuite } from '../../support/race/suite.js'

await t.test('races on the memory adapter', (t) => raceSuite(t, { newStorage: () => 'memory:', processes: 1 }))
