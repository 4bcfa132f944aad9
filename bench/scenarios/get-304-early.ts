import { get304 } from './get-304.js'
import type { Scenario } from './scenario.js'

/** The same, answered before the handler runs. */
export const get304Early: Scenario = { ...get304, name: 'get-304-early', path: '/early/' }
