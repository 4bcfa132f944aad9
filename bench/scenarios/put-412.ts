import { put } from './put.js'
import { STALE, type Scenario } from './scenario.js'

/** A write under a tag that is stale. */
export const put412: Scenario = {
  ...put,
  name: 'put-412',
  precondition: () => ({ 'if-match': STALE }),
  status: 412,
  changesTag: false
}
