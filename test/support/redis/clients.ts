import { Cluster, Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient, createCluster } from 'redis'
import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { conformanceSuite, type CreateAdapter } from 'fastify-if-match/conformance'
import { connector } from '../../../lib/storage/redis/connect.js'
import { redisAdapter, type RedisAdapterOptions, type RedisClient } from '../../../lib/storage/redis/index.js'
import { within } from '../../../lib/storage/kit/deadline.js'
import { startProxy, type Proxy } from '../services/proxy.js'
import { uniqueName } from '../services/service.js'

// To make a client of node-redis from nothing takes it 50 ms, and from another one almost nothing.
const nodeRedis = createClient()

/** A timeout of the adapter that no test lives to see: what waits for it hangs. */
export const PATIENT = 120_000

const HANGS = 30_000

/** The promise, unless it hangs. However busy the machine is, nothing else takes so long. */
export async function soon<R> (promise: Promise<R>): Promise<R> {
  return await within(HANGS, promise, () => new Error('it hangs'))
}

/** Resolves once this holds. */
export async function until (holds: () => boolean): Promise<void> {
  for (const end = performance.now() + HANGS; !holds();) {
    if (performance.now() > end) throw new Error('it never comes to that')
    await delay(5)
  }
}

/** How each driver makes a client of one server. None of them connects: the adapter does that for itself. */
export const DRIVERS: Readonly<Record<string, (url: string) => RedisClient>> = {
  ioredis: (url) => new Redis(url, { lazyConnect: true }),
  'node-redis': (url) => nodeRedis.duplicate({ url })
}

/** The members of a Cluster, and where they are reached instead. */
export type Detours = Readonly<Record<string, { host: string, port: number }>>

/** How each driver makes a client of a Cluster. */
export const CLUSTER_DRIVERS: Readonly<Record<string, (url: string, detours?: Detours) => RedisClient>> = {
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

/** A proxy before each member of a Cluster. */
export async function startProxies (t: Test, url: string): Promise<{ proxies: Proxy[], detours: Detours }> {
  const members = url.split(',')
  const proxies = await Promise.all(members.map(async (member) => await startProxy(t, member)))
  const detours = Object.fromEntries(
    members.map((member, at) => [new URL(member).host, { host: '127.0.0.1', port: proxies[at]!.port }])
  )
  return { proxies, detours }
}

/** The conformance suite, several cases at a time: each has a prefix, proxies and clients of its own. */
export async function conformance (
  t: Test,
  url: string,
  connect: (url: string, detours: Detours) => RedisClient,
  list: false | 'collection'
): Promise<void> {
  t.jobs = 6
  await conformanceSuite({
    test: async (title, run) => await t.test(title, { buffered: true }, run),
    createAdapter: subjectsOn(t, url, connect, list),
    list: list === false ? false : 'collections'
  })
}

function subjectsOn (
  t: Test,
  url: string,
  connect: (url: string, detours: Detours) => RedisClient,
  list: false | 'collection'
): CreateAdapter {
  return async () => {
    const { proxies, detours } = await startProxies(t, url)
    const prefix = `${uniqueName()}:`
    const open = new Set<StorageAdapter>()
    const behind = proxies.map((proxy) => proxy.url).join(',')
    const make = () =>
      noted(redisAdapter({ client: connect(proxies.length === 1 ? behind : url, detours), prefix, list }), open)
    const refuse = async () => {
      await Promise.all(
        proxies.map(async (proxy) => {
          await proxy.refuse()
        })
      )
    }
    return {
      adapter: make(),
      another: async () => make(),
      async cut () {
        await refuse()
        return async () => {
          await Promise.all(
            proxies.map(async (proxy) => {
              await proxy.accept()
            })
          )
          for (const adapter of open) await answering(adapter)
        }
      },
      close: refuse
    }
  }
}

function noted (adapter: StorageAdapter, open: Set<StorageAdapter>): StorageAdapter {
  return {
    ...adapter,
    async open () {
      await adapter.open!()
      open.add(adapter)
    },
    async close () {
      open.delete(adapter)
      await adapter.close!()
    }
  }
}

/** Resolves once an adapter is back, wherever in a Cluster it has to go. */
export async function answering (adapter: StorageAdapter): Promise<void> {
  for (const until = performance.now() + 20_000; ;) {
    try {
      for (let at = 0; at < 16; at++) await adapter.read(`nothing/${at}`)
      return
    } catch (error) {
      if (performance.now() > until) throw error
      await delay(20)
    }
  }
}

/** An open adapter, which is closed with the test. */
export async function openedAdapter<A extends StorageAdapter = StorageAdapter> (
  t: Test,
  client: RedisClient,
  options: Partial<RedisAdapterOptions> = {}
): Promise<A> {
  const adapter = redisAdapter({ client, prefix: `${uniqueName()}:`, ...options }) as StorageAdapter as A
  t.teardown(async () => {
    await adapter.close!()
  })
  await adapter.open!()
  return adapter
}

/** Picks the requests that carry a write. */
export function isWrite (request: Buffer): boolean {
  return /\bevalsha\b/i.test(request.toString('latin1'))
}

/** How often a command was run, on all of these servers together. */
export async function calls (servers: readonly Redis[], command: string): Promise<number> {
  const infos = await Promise.all(servers.map(async (server) => await server.info('commandstats')))
  return infos.reduce(
    (sum, info) => sum + Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0),
    0
  )
}

/** The client that the adapter makes of another one. */
export function madeOf (t: Test, client: RedisClient): Record<string, unknown> {
  const made: unknown[] = []
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => unknown
  Object.assign(client, { duplicate: (...args: unknown[]) => made[made.push(duplicate(...args)) - 1] })
  const connection = connector(client, 100).connect()
  t.teardown(() => { connection.close() })
  return made[0] as Record<string, unknown>
}
