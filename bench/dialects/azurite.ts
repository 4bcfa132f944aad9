import { createHmac } from 'node:crypto'
import { etagOf } from '../load/answer.js'
import type { Dialect } from './dialect.js'

// An account of our own, so that no known one has to be named: its name, and its key in base64.
const NAME = 'bench'
const KEY = Buffer.from('a key of the benchmark')
export const ACCOUNT = `${NAME}:${KEY.toString('base64')}`
export const CONTAINER = `/${NAME}/offers`

/** A shared access signature: made once, so that no request has to be signed. */
export const SIGNATURE = signature({
  sp: 'rwc',
  ss: 'b',
  srt: 'co',
  st: '',
  se: '2099-01-01',
  sip: '',
  spr: 'https,http',
  sv: '2018-11-09'
})

function signature (fields: Readonly<Record<string, string>>): string {
  const text = [NAME, ...Object.values(fields), ''].join('\n')
  const sig = createHmac('sha256', KEY).update(text).digest('base64')
  const given = Object.entries({ ...fields, sig }).filter(([, value]) => value !== '')
  return String(new URLSearchParams(given))
}

const pathOf = (id: number): string => `${CONTAINER}/${id}?${SIGNATURE}`
const PUT_HEADERS = { 'content-type': 'application/json', 'x-ms-blob-type': 'BlockBlob' }

/** Put Blob and Get Blob. */
export const azurite: Dialect = {
  create: (id, document) => ({ method: 'PUT', path: pathOf(id), headers: PUT_HEADERS, body: document }),
  read: (id) => ({ method: 'GET', path: pathOf(id), headers: {} }),
  request: ({ method, precondition, body }, id, tag, document) => ({
    method,
    path: pathOf(id),
    headers: body === undefined ? precondition(tag) : { ...PUT_HEADERS, ...precondition(tag) },
    body: body?.(document)
  }),
  status: ({ status, method }) => method === 'PUT' && status === 200 ? 201 : status,
  tagOf: etagOf,
  documentOf: (answer) => answer.body()
}
