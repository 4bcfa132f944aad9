import type { Test } from 'tap'
import { startEtcd } from '../services/etcd.js'
import type { Service } from '../services/service.js'
import { base64 } from './base64.js'
import { gatewayOf } from './engine.js'

/** A user who may read and write under `entities/`. */
export const auth = { user: 'app', password: 'a secret' }

/**
 * An etcd that asks for a login. It also has the users `key`, `reader` and `writer`, with the same password, who may do
 * less: read all and write one key, only read, only write.
 */
export async function startWithLogin (t: Test): Promise<Service> {
  const service = await startEtcd(t, { own: true })
  const gateway = gatewayOf(t, service.url)
  const range = { key: base64('entities/'), range_end: base64('entities0') }
  for (const [call, body] of [
    ['user/add', { name: 'root', password: 'root' }],
    ['role/add', { name: 'root' }],
    ['user/grant', { user: 'root', role: 'root' }],
    ...[
      ['key', 'READ', range],
      ['reader', 'READ', range],
      ['writer', 'WRITE', range]
    ].flatMap(
      ([name, permType, keys]) =>
        [
          ['user/add', { name, password: auth.password }],
          ['role/add', { name }],
          ['role/grant', { name, perm: { permType, ...(keys as object) } }],
          ['user/grant', { user: name, role: name }]
        ] as Array<[string, object]>
    ),
    ['role/grant', { name: 'key', perm: { permType: 'READWRITE', key: range.key } }],
    ['user/add', { name: auth.user, password: auth.password }],
    ['role/add', { name: 'entities' }],
    ['role/grant', { name: 'entities', perm: { permType: 'READWRITE', ...range } }],
    ['user/grant', { user: auth.user, role: 'entities' }],
    ['enable', {}]
  ] as const) await gateway.write(`/v3/auth/${call}`, body)
  return service
}
