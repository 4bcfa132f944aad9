import t from 'tap'
import { FEW_AT_HOME } from '../../support/race/extent.js'
import { raceSuite } from '../../support/race/suite.js'

await t.test('races on the memory adapter', (t) => raceSuite(t, { newStorage: () => 'memory:', processes: 1, ...FEW_AT_HOME }))
