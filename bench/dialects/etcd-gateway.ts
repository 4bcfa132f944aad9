import type { Dialect } from './dialect.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const keyOf = (id: number): string => base64(`bench-gateway/${id}`)
const post = (path: string, body: object) => ({ method: 'POST', path, headers: {}, body: JSON.stringify(body) })
const put = (id: number, document: string) => ({ request_put: { key: keyOf(id), value: base64(document) } })

interface Answer {
  header: { revision: string }
  succeeded?: boolean
  kvs?: Array<{ value: string, mod_revision: string }>
}

/** Transactions of etcd's JSON gateway; a tag is the revision of the last write. */
export const etcdGateway: Dialect = {
  create: (id, document) => post('/v3/kv/txn', { success: [put(id, document)] }),
  read: (id) => post('/v3/kv/range', { key: keyOf(id) }),
  request: (_scenario, id, tag, document) => post('/v3/kv/txn', {
    compare: [{ key: keyOf(id), result: 'EQUAL', target: 'MOD', mod_revision: tag }],
    success: [put(id, document)]
  }),
  status: () => 200,
  tagOf (answer) {
    const { header, succeeded, kvs } = JSON.parse(answer.body()) as Answer
    if (kvs !== undefined) return kvs[0]!.mod_revision
    if (!succeeded) throw new Error('etcd: the transaction was not applied.')
    return header.revision
  },
  documentOf (answer) {
    return Buffer.from((JSON.parse(answer.body()) as Answer).kvs![0]!.value, 'base64').toString()
  }
}
