import { put } from './put.js'
import type { Scenario } from './scenario.js'

/** A write without a precondition. */
export const put400: Scenario = {
  ...put,
  name: 'put-400',
  precondition: () => ({}),
  status: 400,
  changesTag: false
}
