import { etcdAdapter } from 'fastify-if-match/storage/etcd'
import { parseAddress } from './address.js'
import type { CreateStorage } from './create-storage.js'
import { SettingError } from './setting-error.js'

/** `etcd://…` or, with TLS, `etcds://…`, with one or several members; `?prefix=` is how its keys begin. */
export const createEtcd: CreateStorage = (setting) => {
  const address = parseAddress(setting, 2379)
  if (address === undefined || address.path !== '') throw wrongForm()
  const { hosts, user, password, scheme, prefix } = address
  if (user === undefined && password !== undefined) throw wrongForm()
  const protocol = scheme === 'etcds' ? 'https' : 'http'
  try {
    return etcdAdapter({
      endpoints: hosts.map(({ host, port }) => `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`),
      auth: user === undefined ? undefined : { user, password: password ?? '' },
      prefix
    })
  } catch {
    throw wrongForm()
  }
}

function wrongForm (): SettingError {
  return new SettingError('STORAGE', 'accepts "etcd[s]://[user:password@]host[:port][,host[:port]...][?prefix=...]"')
}
