import { put } from './put.js'
import type { Scenario } from './scenario.js'

/** A change of one field: `update`, which reads, calls a function and writes. */
export const patch: Scenario = {
  ...put,
  name: 'patch',
  method: 'PATCH',
  // The value that the field has: the entity stays the document.
  body: (document) => JSON.stringify({ publisherId: (JSON.parse(document) as { publisherId: string }).publisherId })
}
