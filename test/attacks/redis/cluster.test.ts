import { Redis } from 'ioredis'
import t from 'tap'
import { connector } from '../../../lib/storage/redis/connect.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { uniqueName } from '../../support/services/service.js'
import {
  answering,
  calls,
  CLUSTER_DRIVERS,
  conformance,
  isWrite,
  openedAdapter,
  startProxies
} from '../../support/redis/clients.js'

const ANY = { kind: 'any' } as const

await t.test('redis: Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t, { own: true })
  const members = url.split(',').map((member) => new Redis(member))
  t.teardown(() => { for (const member of members) member.disconnect() })

  for (const [driver, connect] of Object.entries(CLUSTER_DRIVERS)) {
    await t.test(`redis: Cluster, ${driver}: a write whose answer was cut off is sent once, and proven (E2, E43)`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const adapter = await openedAdapter(t, connect(url, detours))
      await adapter.write('k', 'before', ANY)
      const before = await calls(members, 'evalsha')
      for (const proxy of proxies) proxy.cutAnswer({ when: isWrite })
      const { version } = (await adapter.read('k'))!
      const written = await adapter.write('k', 'mine', { kind: 'version', versions: [version] })
      t.match(written, { applied: true, created: false })
      t.match(await adapter.read('k'), { value: 'mine', replaced: version })
      t.equal(await calls(members, 'evalsha') - before, 1)
    })

    await t.test(`redis: Cluster, ${driver}: what is asked at once after the opening, of all members, is answered`, async (t) => {
      const connection = connector(connect(url), 5000).connect()
      t.teardown(() => { connection.close() })
      await connection.open()
      const keys = Array.from({ length: 24 }, () => uniqueName())
      t.strictSame(
        await Promise.all(keys.map(async (key) => await connection.send(key, ['GET', key]))),
        keys.map(() => null)
      )
    })

    await t.test(`redis: Cluster, ${driver}: a slot that nobody serves is an outage at once, and over when somebody does (E46)`, { skip: skipWithoutOwn('redis-cluster') }, async (t) => {
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(url), { prefix })
      const slot = Number(await members[0]!.call('CLUSTER', 'KEYSLOT', `${prefix}{k}`))
      // Each master has a third of the slots, in order.
      const owner = members[Math.floor((slot + 1) * 3 / 16_384)]!
      await owner.call('CLUSTER', 'DELSLOTS', slot)
      await t.rejects(adapter.write('k', 'ghost', ANY), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
        cause: { message: /does not serve this slot/ }
      })
      await owner.call('CLUSTER', 'ADDSLOTS', slot)
      await answering(adapter)
      t.equal(await adapter.read('k'), undefined)
      t.match(await adapter.write('k', 1, ANY), { applied: true, created: true })
    })

    await t.test(`redis: Cluster, ${driver}: entities spread over the slots, and a collection that can be listed stays together (E47)`, async (t) => {
      for (const list of [false, 'collection'] as const) {
        const before = await Promise.all(members.map(async (member) => await member.dbsize()))
        const adapter = await openedAdapter(t, connect(url), { list })
        await Promise.all(Array.from({ length: 120 }, async (_, at) => await adapter.write(`offers/${at}`, at, ANY)))
        const shares = await Promise.all(members.map(async (member, at) => await member.dbsize() - before[at]!))
        if (list === false) t.ok(shares.every((share) => share > 20), shares.join())
        else t.equal(shares.filter((share) => share > 20).length, 1, shares.join())
      }
    })
  }

  // What a driver does in a Cluster has nothing to do with how a collection is kept, so each goes with one setting here.
  for (const [driver, list] of [['ioredis', 'collection'], ['node-redis', false]] as const) {
    await t.test(`redis: conformance, Cluster, ${driver}, list ${list}`, async (t) => { await conformance(t, url, CLUSTER_DRIVERS[driver]!, list) })
  }
})
