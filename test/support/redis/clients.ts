import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { connector } from '../../../lib/storage/redis/connect.js'
import type { RedisConnection } from '../../../lib/storage/redis/connection.js'
import { redisAdapter, type RedisAdapterOptions, type RedisClient } from '../../../lib/storage/redis/index.js'
import { within } from '../../../lib/storage/kit/deadline.js'
import { startProxy, type Proxy } from '../services/proxy.js'
import { uniqueName } from '../services/service.js'
import { until } from '../until.js'

// To make a client of node-redis from nothing takes 50 ms, and from another one almost nothing.
const nodeRedis = createClient()

/** A timeout that no test lives to see: a call that only this timeout would end, hangs. */
export const LONG_TIMEOUT = 120_000

const HANGS = 30_000

/** The promise, unless it hangs. However busy the machine is, nothing else takes so long. */
export async function soon<R> (promise: Promise<R>): Promise<R> {
  return await within(HANGS, promise, () => new Error('it hangs'))
}

/** How each driver makes a client of one server. It does not connect: the adapter does that for itself. */
export const DRIVERS = {
  ioredis: (url: string): RedisClient => new Redis(url, { lazyConnect: true }),
  'node-redis': (url: string): RedisClient => nodeRedis.duplicate({ url })
} as const

export type Driver = keyof typeof DRIVERS

export const DRIVER_NAMES = Object.keys(DRIVERS) as Driver[]

/** For each member of a Cluster, the address at which it is reached instead. */
export type Detours = Readonly<Record<string, { host: string, port: number }>>

/** How each driver makes a client of a Cluster. */
export const CLUSTER_DRIVERS: Readonly<Record<Driver, (url: string, detours?: Detours) => RedisClient>> = {
  ioredis (url, natMap) {
    const nodes = addressesOf(url).map(({ host, port }) => natMap?.[`${host}:${port}`] ?? { host, port })
    return new Cluster(nodes, { lazyConnect: true, ...natMap && { natMap } })
  },
  'node-redis' (url, nodeAddressMap) {
    const rootNodes = addressesOf(url).map(({ host, port }) => ({
      socket: nodeAddressMap?.[`${host}:${port}`] ?? { host, port }
    }))
    return createCluster({ rootNodes, ...nodeAddressMap && { nodeAddressMap } })
  }
}

function addressesOf (url: string): Array<{ host: string, port: number }> {
  return url
    .split(',')
    .map((member) => new URL(member))
    .map(({ hostname, port }) => ({ host: hostname, port: Number(port) }))
}

/** A client that looks at a server beside the adapter. */
export function lookingAt (t: Test, url: string, options: { password?: string } = {}): Redis {
  const server = new Redis(url, options)
  t.teardown(() => { server.disconnect() })
  return server
}

/** A proxy before each member of a Cluster. */
export async function startProxies (t: Test, url: string): Promise<{ proxies: Proxy[], detours: Detours }> {
  const members = url.split(',')
  const proxies = await Promise.all(members.map(async (member) => await startProxy(t, member)))
  const detours = Object.fromEntries(
    members.map((member, index) => [new URL(member).host, { host: '127.0.0.1', port: proxies[index]!.port }])
  )
  return { proxies, detours }
}

/** Resolves once the adapter answers again, wherever in a Cluster it has to go. */
export async function untilAnswers (adapter: StorageAdapter): Promise<void> {
  await until('the adapter answers', async () => {
    try {
      for (let key = 0; key < 16; key++) await adapter.read(`nothing/${key}`)
      return true
    } catch {
      return false
    }
  })
}

/** Opens an adapter. A busy machine may be slower than the timeout of the adapter: then it is opened again. */
export async function openInTime (adapter: StorageAdapter): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await adapter.open!()
    } catch (error) {
      if (attempt === 20) throw error
    }
  }
}

/** An open adapter, which is closed with the test. */
export async function openedAdapter<A extends StorageAdapter = StorageAdapter> (
  t: Test, client: RedisClient, options: Partial<RedisAdapterOptions> = {}
): Promise<A> {
  const adapter = redisAdapter({ client, prefix: `${uniqueName()}:`, ...options }) as StorageAdapter as A
  t.teardown(async () => { await adapter.close!() })
  await openInTime(adapter)
  return adapter
}

/** A connection as the adapter makes it, which is closed with the test. */
export function connectionOf (t: Test, client: RedisClient, timeout = LONG_TIMEOUT): RedisConnection {
  const connection = connector(client, timeout).connect()
  t.teardown(() => { connection.close() })
  return connection
}

/** The client that the adapter makes of another one. */
export function madeOf (t: Test, client: RedisClient): Record<string, unknown> {
  const made: unknown[] = []
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => unknown
  Object.assign(client, { duplicate: (...args: unknown[]) => made[made.push(duplicate(...args)) - 1] })
  connectionOf(t, client, 100)
  return made[0] as Record<string, unknown>
}

/** Picks the requests that carry a write. */
export function isWrite (request: Buffer): boolean {
  return /\bevalsha\b/i.test(request.toString('latin1'))
}
