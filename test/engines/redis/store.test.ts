import t, { type Test } from 'tap'
import type { ListingAdapter, Refused } from '../../../lib/storage/adapter.js'
import { assertDamaged } from '../../support/damaged.js'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { DRIVERS, isWrite, lookingAt, LONG_TIMEOUT, openedAdapter, soon } from '../../support/redis/clients.js'
import { sideBySide } from '../../support/redis/side-by-side.js'
import { skipWithout } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'

type Command = (command: string | string[]) => Promise<unknown>

const UNAVAILABLE = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
const FAULT = { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500 }

/** A write whose answer was just cut off: the adapter looks for a proof. */
async function withLostAnswer (t: Test, url: string) {
  const proxy = await startProxy(t, url)
  const adapter = await openedAdapter(t, DRIVERS.ioredis(proxy.url), { timeout: LONG_TIMEOUT })
  const { answered } = proxy.cutAnswer({ when: isWrite })
  const writing = adapter.write('k', 1, ANY)
  // On a busy machine it may end before the case awaits it.
  writing.catch(() => {})
  await answered
  return { proxy, writing }
}

await t.test('redis: the entities in Redis', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  const server = lookingAt(t, url)

  await sideBySide(t, {
    'redis: list takes whole collections alone': async (t) => {
      const adapter = await openedAdapter<ListingAdapter>(t, DRIVERS.ioredis(url), { list: 'collection' })
      for (const prefix of ['', 'offers', 'offers/a']) await t.rejects(adapter.list(prefix), { name: 'RangeError' })
    },

    'redis: an entity that was removed while it was listed is left out, and the page after it is found': async (t) => {
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter<ListingAdapter>(t, DRIVERS.ioredis(url), { list: 'collection', prefix })
      for (const key of ['a/1', 'a/2', 'a/3']) await adapter.write(key, key, ANY)
      await server.del(`${prefix}{a/}:2`)
      t.match(await adapter.list('a/', { limit: 2 }), { items: [{ key: 'a/1' }], next: 'a/2' })
      t.match(await adapter.list('a/', { after: 'a/2' }), { items: [{ key: 'a/3' }], next: undefined })
    },

    'redis: inside a MULTI that is open on its connection a change is unknown and a read an outage, and nothing is acknowledged': async (t) => {
      for (const driver of ['ioredis', 'node-redis'] as const) {
        const prefix = `${uniqueName()}:`
        const client = DRIVERS[driver](url)
        const made: Array<{ call?: Command, sendCommand: Command }> = []
        const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => typeof made[number]
        Object.assign(client, { duplicate: (...args: unknown[]) => made[made.push(duplicate(...args)) - 1] })
        const adapter = await openedAdapter(t, client, { prefix })
        await adapter.write('there', 1, ANY)
        const [own] = made
        const send = async (command: string) =>
          await (driver === 'ioredis' ? own!.call!(command) : own!.sendCommand([command]))
        t.equal(await send('MULTI'), 'OK')
        const unknown = { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }
        await t.rejects(adapter.write('k', 1, ABSENT), unknown, driver)
        await t.rejects(adapter.remove('there', EXISTS), unknown)
        await t.rejects(adapter.read('there'), UNAVAILABLE)
        t.equal(await server.exists(`${prefix}{k}`), 0)
        await send('EXEC')
        t.equal(await server.exists(`${prefix}{k}`), 1, 'it was right not to say that it was not applied')
        t.match(await adapter.read('k'), { value: 1 })
      }
    },

    'redis: a damaged entity is a fault of the storage where its value is asked for, a foreign one always, neither is an absence or overwritten': async (t) => {
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, DRIVERS.ioredis(url), { prefix })
      await server.set(`${prefix}{foreign}`, 'foreign')
      await adapter.write('damaged', 1, ANY)
      await server.hset(`${prefix}{damaged}`, 'value', 'a secret')
      const stored = await adapter.read('damaged')
      const refused = await adapter.write('damaged', 2, ABSENT) as Refused
      for (const damaged of [stored, refused.current]) assertDamaged(t, damaged, /damaged/)
      for (const unless of [undefined, [], '*', ['other']] as const) {
        await t.rejects(adapter.read('foreign', { unless }), FAULT)
      }
      await t.rejects(adapter.write('foreign', 2, ABSENT), FAULT)
      await t.rejects(adapter.write('foreign', 2, ANY), FAULT)
      t.equal(await server.get(`${prefix}{foreign}`), 'foreign')
      await server.hdel(`${prefix}{damaged}`, 'version')
      for (const unless of [undefined, '*', ['other']] as const) {
        await t.rejects(adapter.read('damaged', { unless }), FAULT)
      }
    },

    'redis: a collection whose index somebody else damaged is a fault of the storage': async (t) => {
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter<ListingAdapter>(t, DRIVERS.ioredis(url), { list: 'collection', prefix })
      await server.set(`${prefix}{a/}`, 'foreign')
      await t.rejects(adapter.list('a/'), FAULT)
    },

    'redis: with replicas to wait for and none there, a write is unknown, and reads have a connection of their own': async (t) => {
      const adapter = await openedAdapter(t, DRIVERS.ioredis(url), { wait: { replicas: 1, timeout: 20 } })
      await t.rejects(adapter.write('k', 1, ANY), {
        code: 'FST_IF_MATCH_OUTCOME_UNKNOWN',
        cause: { message: /0 of 1 replicas/ }
      })
      t.match(await adapter.read('k'), { value: 1 })
    },

    'redis: the proof of a write is looked for until the connection is back': async (t) => {
      const { proxy, writing } = await withLostAnswer(t, url)
      await proxy.refuse()
      await proxy.accept()
      t.match(await soon(writing), { applied: true, created: true })
    },

    'redis: the proof of a write is looked for a second, where there is no connection any more': async (t) => {
      const { proxy, writing } = await withLostAnswer(t, url)
      await proxy.refuse()
      await t.rejects(soon(writing), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    },

    'redis: the proof of a write is looked for a second, also where nobody answers any more': async (t) => {
      const { proxy, writing } = await withLostAnswer(t, url)
      const { requested } = proxy.hold({ when: (request) => /\bhmget\b/i.test(String(request)) })
      await requested
      await t.rejects(soon(writing), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    }
  })
})
