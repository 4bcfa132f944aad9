import t from 'tap'
import { CLUSTER_DRIVERS, connectionOf, startProxies } from '../../support/redis/clients.js'
import { driverCases } from '../../support/redis/driver-cases.js'
import { skipWithout } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'

await t.test('redis: node-redis: closed while it asks where the slots are, it makes no connections when it hears it', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
  const { proxies, detours } = await startProxies(t, url)
  const connection = connectionOf(t, CLUSTER_DRIVERS['node-redis'](url, detours))
  const asked = proxies.map((proxy) => proxy.hold({ when: (request) => /\bslots\b/i.test(String(request)) }).requested)
  const opening = connection.open()
  await Promise.race(asked)
  connection.close()
  for (const proxy of proxies) proxy.pass()
  await opening.catch(() => {})
  t.equal(proxies.reduce((sum, { connections }) => sum + connections, 0), 1)
})

await driverCases(t, 'node-redis')
