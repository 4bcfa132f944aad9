import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { conformanceSuite, type CreateAdapter } from 'fastify-if-match/conformance'
import { redisAdapter, type RedisClient } from '../../../lib/storage/redis/index.js'
import { cutBy } from '../cut-by.js'
import { uniqueName } from '../services/service.js'
import { openInTime, startProxies, untilAnswers, type Detours } from './clients.js'

type Connect = (url: string, detours: Detours) => RedisClient

/** The conformance suite, several cases at a time: each has a prefix, proxies and clients of its own. */
export async function conformance (t: Test, url: string, connect: Connect, list: false | 'collection'): Promise<void> {
  t.jobs = 8
  await conformanceSuite({
    test: async (title, run) => await t.test(title, { buffered: true }, run),
    createAdapter: subjectsOn(t, url, connect, list),
    list: list === false ? false : 'collections'
  })
}

function subjectsOn (t: Test, url: string, connect: Connect, list: false | 'collection'): CreateAdapter {
  return async () => {
    const { proxies, detours } = await startProxies(t, url)
    const address = proxies.length === 1 ? proxies[0]!.url : url
    const prefix = `${uniqueName()}:`
    const open = new Set<StorageAdapter>()
    const make = (): StorageAdapter =>
      listedWhileOpen(redisAdapter({ client: connect(address, detours), prefix, list }), open)
    const back = async (): Promise<unknown> => await Promise.all([...open].map(untilAnswers))
    return { adapter: make(), another: async () => make(), ...cutBy(proxies, back) }
  }
}

// Keeps the adapter in the set from its opening to its end.
function listedWhileOpen (adapter: StorageAdapter, open: Set<StorageAdapter>): StorageAdapter {
  return {
    ...adapter,
    async open () {
      await openInTime(adapter)
      open.add(adapter)
    },
    async close () {
      open.delete(adapter)
      await adapter.close!()
    }
  }
}
