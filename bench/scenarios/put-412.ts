import { put } from './put.js'
import type { Scenario } from './scenario.js'

/** A write under the tag that the entity had before. */
export const put412: Scenario = {
  ...put,
  name: 'put-412',
  status: 412,
  changesTag: false,
  isStale: true
}
