import t, { type Test } from 'tap'
import { startEtcdCluster } from '../../support/services/etcd.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import type { Service } from '../../support/services/service.js'
import { gatewayOf, openedEtcd } from '../../support/etcd/engine.js'
import { Load } from '../../support/etcd/load.js'
import { networkLack, networkOf } from '../../support/etcd/network.js'
import { until } from '../../support/until.js'

const ACKNOWLEDGED = 100

/** The index of the member that leads. */
async function leaderOf (t: Test, members: readonly Service[]): Promise<number> {
  return await until('a member leads', async () => {
    for (const [index, { url }] of members.entries()) {
      const { header, leader } = (await gatewayOf(t, url).read('/v3/maintenance/status', {})) as {
        header: { member_id: string }
        leader?: string
      }
      if (leader === header.member_id) return index
    }
    return undefined
  })
}

const lack = networkLack()

await t.test('etcd: three members, whose leader is killed, stopped, isolated and unplugged in turn under load: the history stays linearizable', { skip: skipWithoutOwn('etcd', 'network namespaces') || (lack ?? false) }, async (t) => {
  const network = networkOf(t, 3)
  const { members, settled } = await startEtcdCluster(t, { places: network.places })
  const endpoints = members.map(({ url }) => url)
  const adapters = await Promise.all(
    [0, 1, 2].map((first) =>
      openedEtcd(t, { endpoints: [...endpoints.slice(first), ...endpoints.slice(0, first)], timeout: 1500 })
    )
  )
  const load = await Load.start(adapters)

  const disturbances: Array<[string, (leader: number) => unknown, (leader: number) => unknown]> = [
    ['killed', (leader) => members[leader]!.kill(), (leader) => members[leader]!.restart()],
    ['stopped', (leader) => { members[leader]!.pause() }, (leader) => { members[leader]!.resume() }],
    ['isolated', network.isolate, network.mend],
    ['unplugged', network.unplug, network.mend]
  ]
  for (const [title, disturb, mend] of disturbances) {
    await settled()
    await t.resolves(load.more(ACKNOWLEDGED), `writes before the leader is ${title}`)
    const leader = await leaderOf(t, members)
    await disturb(leader)
    await t.resolves(load.more(ACKNOWLEDGED), `the other two go on while the leader is ${title}`)
    await mend(leader)
    await t.resolves(load.more(ACKNOWLEDGED), 'and all three when it is back')
  }
  t.strictSame(await load.flaws(adapters[0]!), [])
  t.strictSame(load.failures, [])
  t.comment(load.counts)
})
