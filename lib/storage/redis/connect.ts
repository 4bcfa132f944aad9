import { InvalidOptionsError } from '../../errors.js'
import type { IoredisClient, IoredisCluster, NodeRedisClient, NodeRedisCluster, RedisClient } from './client.js'
import { ioredisClusterConnection, ioredisConnection } from './ioredis.js'
import { nodeRedisClusterConnection, nodeRedisConnection } from './node-redis.js'

/** A connection of the adapter's own, which sends nothing twice and nothing later (E41 to E43). */
export interface RedisConnection {
  /** Whether what is sent now goes out now. */
  readonly isReady: boolean
  /** What the driver said last about a connection that is not there. */
  readonly trouble: Error | undefined
  open (): Promise<void>
  /** @param key where in a Cluster it goes */
  send (key: string, command: string[]): Promise<unknown>
  /** It does not answer, or its server is not the master any more: a new one is needed. */
  giveUp (): void
  close (): void
}

/**
 * How to make a connection from the caller's client.
 *
 * @param silence how long an answer may take, in milliseconds
 * @throws FST_IF_MATCH_INVALID_OPTIONS for what is none of the four clients
 */
export function connector (
  client: RedisClient,
  silence: number
): { isCluster: boolean, connect: () => RedisConnection } {
  const candidate = client as Partial<IoredisClient & IoredisCluster & NodeRedisClient & NodeRedisCluster> | undefined
  if (typeof candidate?.duplicate !== 'function') throw unusable()
  refuseKeyPrefix(candidate)
  if (candidate.isCluster === true) { return { isCluster: true, connect: () => ioredisClusterConnection(client as IoredisCluster, silence) } }
  if (typeof candidate.call === 'function') { return { isCluster: false, connect: () => ioredisConnection(client as IoredisClient, silence) } }
  if (typeof candidate.sendCommand !== 'function' || typeof candidate.isReady !== 'boolean') throw unusable()
  if (candidate._options !== undefined && candidate.masters !== undefined) { return { isCluster: true, connect: () => nodeRedisClusterConnection(client as NodeRedisCluster, silence) } }
  if (candidate.options === undefined) throw unusable()
  return { isCluster: false, connect: () => nodeRedisConnection(client as NodeRedisClient, silence) }
}

function unusable (): Error {
  return new InvalidOptionsError(
    'redisAdapter',
    '"client" must be a Redis or Cluster of ioredis, or what createClient or createCluster of node-redis gives.'
  )
}

// Where one driver adds it to keys and the other does not, nobody could say where an entity is.
function refuseKeyPrefix (client: Partial<IoredisCluster & NodeRedisCluster>): void {
  const { options, _options } = client as { options?: object, _options?: object }
  for (const part of [options, _options, client.options?.redisOptions] as Array<{ keyPrefix?: unknown } | undefined>) {
    if (part?.keyPrefix) {
      throw new InvalidOptionsError(
        'redisAdapter',
        'the client has a "keyPrefix". Pass one without it, and use the option "prefix".'
      )
    }
  }
}
