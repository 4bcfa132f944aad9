import { startEtcd, startEtcdCluster } from './etcd.js'
import { startMariadb } from './mariadb.js'
import { startPostgres } from './postgres.js'
import { sharedUrl, SERVICES } from './programs.js'
import { startRedisCluster } from './redis-cluster.js'
import { startRedis } from './redis.js'
import type { Owner } from './service.js'

/** The engines that tests share. */
export const SHARED_ENGINES = ['postgres', 'mysql', 'redis', 'redis-cluster', 'etcd'] as const
export type SharedEngine = typeof SHARED_ENGINES[number]

// Enough for all files that run at once, whose pools are idle most of the time.
const MAX_CONNECTIONS = { settings: { max_connections: '300' } }

const START: Record<SharedEngine, (owner: Owner, isDurable: boolean) => Promise<{ url: string }>> = {
  postgres: (owner) => startPostgres(owner, MAX_CONNECTIONS),
  mysql: (owner) => startMariadb(owner, MAX_CONNECTIONS),
  redis: (owner, isDurable) =>
    startRedis(owner, isDurable ? { settings: { appendonly: 'yes', appendfsync: 'always' } } : {}),
  'redis-cluster': (owner) => startRedisCluster(owner),
  etcd: (owner, isDurable) => (isDurable ? startEtcdCluster(owner) : startEtcd(owner))
}

/**
 * Starts one of each of these engines, unless its address is given, and ends them when `run` is done. `run` gets the
 * variables that say where they are.
 *
 * @param isDurable no acknowledged write is lost with the power of a machine: Redis syncs each, and etcd has three
 *   members
 */
export async function withSharedEngines<R> (
  names: readonly SharedEngine[],
  isDurable: boolean,
  run: (variables: Record<string, string>) => Promise<R>
): Promise<R> {
  const ends: Array<() => unknown> = []
  const owner: Owner = {
    teardown: (end: () => unknown) => {
      ends.unshift(end)
    }
  }
  try {
    const started = await Promise.allSettled(
      names.map(async (name) => {
        const { url } = sharedUrl(name) === undefined ? await START[name](owner, isDurable) : { url: sharedUrl(name)! }
        return [SERVICES[name].variable, url] as const
      })
    )
    const failed = started.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return await run(
      Object.fromEntries(started.map((outcome) => (outcome as PromiseFulfilledResult<readonly [string, string]>).value))
    )
  } finally {
    for (const end of ends) await end()
  }
}
