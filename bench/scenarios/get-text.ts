import { get } from './get.js'
import type { Scenario } from './scenario.js'

/** A read of the text that is stored, without parsing it. */
export const getText: Scenario = { ...get, name: 'get-text', path: '/text/' }
