import { Cluster, Redis } from 'ioredis'
import { redisAdapter } from 'fastify-if-match/storage/redis'
import { parseAddress, type StorageAddress } from './address.js'
import type { CreateStorage } from './create-storage.js'
import { SettingError } from './setting-error.js'

/** `redis://…` or, with TLS, `rediss://…`; several hosts are a Cluster; `?prefix=` is how its keys begin. */
export const createRedis: CreateStorage = (setting) => {
  const address = parseAddress(setting, 6379)
  if (address === undefined || !isDatabase(address)) {
    throw new SettingError(
      'STORAGE',
      'accepts "redis[s]://[user:password@]host[:port][/database][?prefix=...]", or several hosts of a Cluster with a ' +
        'comma between them'
    )
  }
  const { prefix } = address
  return redisAdapter({ client: clientOf(address), list: 'collection', ...prefix !== undefined && { prefix } })
}

/** Whether the path names a database. A Cluster has no other than 0. */
function isDatabase ({ path, hosts }: StorageAddress): boolean {
  return /^\d*$/.test(path) && (hosts.length === 1 || Number(path) === 0)
}

// The adapter makes a connection of its own from this client, and closes that one: the client itself never connects.
function clientOf ({ hosts, path, user, password, scheme }: StorageAddress): Redis | Cluster {
  const common = {
    lazyConnect: true,
    ...(user && { username: user }),
    ...(password && { password }),
    ...(scheme === 'rediss' && { tls: {} })
  }
  return hosts.length > 1
    ? new Cluster(hosts, { lazyConnect: true, redisOptions: common })
    : new Redis({ ...hosts[0]!, ...common, db: Number(path) })
}
