import { Redis } from 'ioredis'
import t from 'tap'
import { skipWithout } from '../services/programs.js'
import { startRedisCluster } from '../services/redis-cluster.js'
import { calls, CLUSTER_DRIVERS, conformance, isWrite, openedAdapter, startProxies } from './redis-clients.js'

const ANY = { kind: 'any' } as const

await t.test('redis: Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
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
