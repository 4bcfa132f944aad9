import { etagOf } from '../load/answer.js'
import type { Dialect } from './dialect.js'

const JSON_BODY = { 'content-type': 'application/json' }

/** The routes of every app of the benchmark. */
export const offers: Dialect = {
  create: (id, document) => ({
    method: 'PUT',
    path: `/offers/${id}`,
    headers: { ...JSON_BODY, 'if-match': '*' },
    body: document
  }),
  read: (id) => ({ method: 'GET', path: `/offers/${id}`, headers: {} }),
  request: ({ method, path, precondition, body }, id, tag, document) => ({
    method,
    path: `${path}${id}`,
    headers: body === undefined ? precondition(tag) : { ...JSON_BODY, ...precondition(tag) },
    body: body?.(document)
  }),
  status: ({ status }) => status,
  tagOf: etagOf,
  documentOf: (answer) => answer.body()
}
