import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { HandStore } from './by-hand.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

interface Answer {
  header: { revision: string }
  succeeded?: boolean
  kvs?: Array<{ value: string, mod_revision: string }>
}

/** One transaction for each write, through the JSON gateway. */
export async function etcdByHand (url: string): Promise<HandStore> {
  const agent = new Agent({ keepAlive: true })
  const post = (path: string, body: object): Promise<Answer> => new Promise((resolve, reject) => {
    const json = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }
    request(new URL(path, url), { agent, method: 'POST', headers }, (response) => {
      text(response).then((answer) => {
        if (response.statusCode !== 200) throw new Error(`etcd answered ${response.statusCode}: ${answer}`)
        resolve(JSON.parse(answer) as Answer)
      }).catch(reject)
    }).on('error', reject).end(json)
  })
  const keyOf = (id: string): string => base64(`bench-hand/${id}`)
  return {
    async read (id) {
      const { kvs: [entity] = [] } = await post('/v3/kv/range', { key: keyOf(id) })
      return entity && { version: entity.mod_revision, json: Buffer.from(entity.value, 'base64').toString() }
    },
    async write (id, json, version) {
      const key = keyOf(id)
      const compare = { key, result: 'EQUAL', target: 'MOD', mod_revision: version }
      const { succeeded, header } = await post('/v3/kv/txn', {
        compare: version === undefined ? [] : [compare],
        success: [{ request_put: { key, value: base64(json) } }]
      })
      return succeeded ? header.revision : undefined
    },
    async close () { agent.destroy() }
  }
}
