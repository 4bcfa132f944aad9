import t from 'tap'
import { CLUSTER_DRIVERS, DRIVERS } from '../../support/redis/clients.js'
import { sideBySide } from '../../support/redis/side-by-side.js'
import { conformance } from '../../support/redis/subjects.js'
import { skipWithout } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { startRedis } from '../../support/services/redis.js'

// The pairs of a driver and a setting of `list` that are not in test/engines/redis/conformance.test.ts.
await t.test('redis: conformance', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  await sideBySide(t, {
    'redis: conformance, ioredis, list collection': async (t) => {
      await conformance(t, url, DRIVERS.ioredis, 'collection')
    },
    'redis: conformance, node-redis, list false': async (t) => {
      await conformance(t, url, DRIVERS['node-redis'], false)
    }
  })
})

// What a driver does in a Cluster has nothing to do with how a collection is kept, so each goes with one setting.
await t.test('redis: conformance, Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
  for (const [driver, list] of [['ioredis', 'collection'], ['node-redis', false]] as const) {
    await t.test(`redis: conformance, Cluster, ${driver}, list ${list}`, async (t) => {
      await conformance(t, url, CLUSTER_DRIVERS[driver], list)
    })
  }
})
