import { put412 } from './put-412.js'
import type { Scenario } from './scenario.js'

/** The same with hardly a body: what the comparison costs beside a large entity, and not the parsing of the request. */
export const put412Small: Scenario = { ...put412, name: 'put-412-small', body: () => '{}' }
