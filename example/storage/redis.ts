import { Cluster, Redis } from 'ioredis'
import { redisAdapter } from 'fastify-if-match/storage/redis'
import { SettingError } from '../process/setting-error.js'
import { parseAddress } from './address.js'
import type { CreateStorage } from './index.js'

/** `redis://…` or, with TLS, `rediss://…`; several hosts are a Cluster; `?prefix=` is what its keys begin with. */
export const createRedis: CreateStorage = (setting) => {
  const address = parseAddress(setting, 6379)
  if (
    address === undefined ||
    !/^\d*$/.test(address.path) ||
    (address.hosts.length > 1 && Number(address.path) !== 0)
  ) {
    throw new SettingError(
      'STORAGE',
      'accepts "redis[s]://[user:password@]host[:port][/database][?prefix=...]", or several hosts of a Cluster with a comma between them'
    )
  }
  const { hosts, path, user, password, scheme, prefix } = address
  const common = {
    lazyConnect: true,
    ...(user && { username: user }),
    ...(password && { password }),
    ...(scheme === 'rediss' && { tls: {} })
  }
  // The adapter makes a connection of its own from it, and closes that: this one never connects.
  const client =
    hosts.length > 1
      ? new Cluster(hosts, { lazyConnect: true, redisOptions: common })
      : new Redis({ ...hosts[0]!, ...common, db: Number(path) })
  return redisAdapter({ client, list: 'collection', ...prefix !== undefined && { prefix } })
}
