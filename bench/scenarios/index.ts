import { get304Early } from './get-304-early.js'
import { get304 } from './get-304.js'
import { getText } from './get-text.js'
import { get } from './get.js'
import { patch } from './patch.js'
import { put400 } from './put-400.js'
import { put412Small } from './put-412-small.js'
import { put412 } from './put-412.js'
import { putHot } from './put-hot.js'
import { putTags } from './put-tags.js'
import { put } from './put.js'
import type { Scenario } from './scenario.js'
import { transaction } from './transaction.js'

export type { Scenario } from './scenario.js'

/** What is measured. */
export const scenarios: readonly Scenario[] = [
  put,
  putHot,
  put412,
  put412Small,
  put400,
  get,
  getText,
  get304,
  get304Early,
  patch,
  transaction
]

/**
 * One of these, or `put-tags-<count>`.
 *
 * @throws Error if there is none of this name
 */
export function scenarioOf (name: string): Scenario {
  const [, count] = /^put-tags-(\d+)$/.exec(name) ?? []
  const scenario = count === undefined ? scenarios.find((one) => one.name === name) : putTags(Number(count))
  if (scenario === undefined) throw new Error(`there is no scenario "${name}".`)
  return scenario
}
