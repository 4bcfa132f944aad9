import { put } from './put.js'
import type { Scenario } from './scenario.js'

/** A write to two tables of the app, in one transaction. */
export const transaction: Scenario = { ...put, name: 'transaction', path: '/transactions/' }
