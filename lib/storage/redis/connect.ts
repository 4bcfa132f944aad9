import { assertNoFlaw } from '../kit/flaws.js'
import type { IoredisClient, IoredisCluster, NodeRedisClient, NodeRedisCluster, RedisClient } from './client.js'
import type { RedisConnection } from './connection.js'
import { ioredisClusterConnection, ioredisConnection } from './ioredis.js'
import { nodeRedisClusterConnection, nodeRedisConnection } from './node-redis.js'

/** How to make a connection from the caller's client. */
export interface Connector { isCluster: boolean, connect: () => RedisConnection }

/**
 * Tells which kind of client this is, and how to make a connection from it.
 *
 * @param timeout how long an answer may take, in milliseconds
 * @throws FST_IF_MATCH_INVALID_OPTIONS for a client that is none of the four kinds, or that has a `keyPrefix`
 */
export function connector (client: RedisClient, timeout: number): Connector {
  const kind = kindOf(client)
  assertNoFlaw('redisAdapter', [
    [
      kind === undefined,
      '"client" must be a Redis or Cluster of ioredis, or what createClient or createCluster of node-redis gives.'
    ],
    [hasKeyPrefix(client), 'the client has a "keyPrefix". Pass one without it, and use the option "prefix".']
  ])
  switch (kind!) {
    case 'Redis':
      return { isCluster: false, connect: () => ioredisConnection(client as IoredisClient, timeout) }
    case 'Cluster':
      return { isCluster: true, connect: () => ioredisClusterConnection(client as IoredisCluster, timeout) }
    case 'createClient':
      return { isCluster: false, connect: () => nodeRedisConnection(client as NodeRedisClient, timeout) }
    case 'createCluster':
      return { isCluster: true, connect: () => nodeRedisClusterConnection(client as NodeRedisCluster, timeout) }
  }
}

type AnyClient = Partial<IoredisClient & IoredisCluster & NodeRedisClient & NodeRedisCluster>

function kindOf (client: unknown): 'Redis' | 'Cluster' | 'createClient' | 'createCluster' | undefined {
  const { duplicate, isCluster, call, sendCommand, isReady, masters, _options, options } = Object(client) as AnyClient
  if (typeof duplicate !== 'function') return undefined
  if (isCluster === true) return 'Cluster'
  if (typeof call === 'function') return 'Redis'
  if (typeof sendCommand !== 'function' || typeof isReady !== 'boolean') return undefined
  if (masters !== undefined && _options !== undefined) return 'createCluster'
  return options === undefined ? undefined : 'createClient'
}

// ioredis puts it ahead of every key, node-redis does not: one setting would name different entities.
function hasKeyPrefix (client: unknown): boolean {
  const { options, _options } = Object(client) as { options?: { redisOptions?: object }, _options?: object }
  const parts: Array<{ keyPrefix?: unknown } | undefined> = [options, _options, options?.redisOptions]
  return parts.some((part) => Boolean(part?.keyPrefix))
}
