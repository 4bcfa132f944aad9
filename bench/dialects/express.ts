import type { Dialect } from './dialect.js'
import { offers } from './offers.js'

/** The same routes, where `If-Match: *` creates nothing. */
export const express: Dialect = {
  ...offers,
  create (id, document) {
    const { 'if-match': _, ...headers } = offers.create(id, document).headers
    return { ...offers.create(id, document), headers: { ...headers, 'if-none-match': '*' } }
  }
}
