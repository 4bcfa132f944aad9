import { get } from './get.js'
import type { Scenario } from './scenario.js'

/** A read of what the client has already: the handler runs, and its answer is left out. */
export const get304: Scenario = {
  ...get,
  name: 'get-304',
  precondition: (tag) => ({ 'if-none-match': tag }),
  status: 304
}
