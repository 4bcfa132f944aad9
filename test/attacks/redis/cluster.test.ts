import t from 'tap'
import { ANY, versionIn } from '../../support/expectations.js'
import {
  CLUSTER_DRIVERS,
  DRIVER_NAMES,
  isWrite,
  lookingAt,
  openedAdapter,
  startProxies,
  untilAnswers
} from '../../support/redis/clients.js'
import { countingRuns } from '../../support/redis/counting-runs.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { uniqueName } from '../../support/services/service.js'

await t.test('redis: Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t, { own: true })
  const members = url.split(',').map((member) => lookingAt(t, member))

  for (const driver of DRIVER_NAMES) {
    const connect = CLUSTER_DRIVERS[driver]

    await t.test(`redis: Cluster, ${driver}: a write whose answer was cut off is sent once, and proven`, async (t) => {
      const { proxies, detours } = await startProxies(t, url)
      const prefix = `${uniqueName()}:`
      const adapter = await openedAdapter(t, connect(url, detours), { prefix })
      await adapter.write('k', 'before', ANY)
      const runs = await countingRuns(t, url, 'evalsha', prefix)
      for (const proxy of proxies) proxy.cutAnswer({ when: isWrite })
      const { version } = (await adapter.read('k'))!
      const written = await adapter.write('k', 'mine', versionIn(version))
      t.match(written, { applied: true, created: false })
      t.match(await adapter.read('k'), { value: 'mine', replaced: version })
      t.equal(await runs(), 1)
    })

    await t.test(`redis: Cluster, ${driver}: a slot that nobody serves is an outage at once, and over when somebody does`, { skip: skipWithoutOwn('redis-cluster') }, async (t) => {
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
      await untilAnswers(adapter)
      t.equal(await adapter.read('k'), undefined)
      t.match(await adapter.write('k', 1, ANY), { applied: true, created: true })
    })

    await t.test(`redis: Cluster, ${driver}: entities spread over the slots, and a collection that can be listed stays together`, async (t) => {
      for (const list of [false, 'collection'] as const) {
        const before = await Promise.all(members.map(async (member) => await member.dbsize()))
        const adapter = await openedAdapter(t, connect(url), { list })
        const keys = Array.from({ length: 120 }, (_, index) => `offers/${index}`)
        await Promise.all(keys.map(async (key) => await adapter.write(key, key, ANY)))
        const shares = await Promise.all(members.map(async (member, index) => await member.dbsize() - before[index]!))
        if (list === false) t.ok(shares.every((share) => share > 20), shares.join())
        else t.equal(shares.filter((share) => share > 20).length, 1, shares.join())
      }
    })
  }
})
