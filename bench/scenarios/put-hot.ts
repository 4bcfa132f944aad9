import { put } from './put.js'
import type { Scenario } from './scenario.js'

/** A crowd that writes one entity. With `*` every write is applied, so each is one more version in a row. */
export const putHot: Scenario = {
  ...put,
  name: 'put-hot',
  precondition: () => ({ 'if-match': '*' }),
  changesTag: false,
  isShared: true
}
