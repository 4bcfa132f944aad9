import { etagOf } from '../load/answer.js'
import type { Dialect } from './dialect.js'
import { offers } from './offers.js'

/**
 * Resources of the Solid protocol. The answer to a write does not tell the new tag there, so a write that is applied
 * names `*`.
 */
export const solid: Dialect = {
  ...offers,
  create: (id, document) => ({ ...offers.create(id, document), headers: { 'content-type': 'application/json' } }),
  request: (scenario, id, tag, document) =>
    offers.request(scenario, id, scenario.changesTag ? '*' : tag, document),
  status: ({ status, method }) => method === 'PUT' && status === 200 ? 205 : status,
  tagOf: etagOf
}
