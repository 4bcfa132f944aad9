import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { startEtcd, startEtcdCluster } from '../../support/services/etcd.js'
import { skipWithout } from '../../support/services/programs.js'
import { subjectsOn } from '../../support/etcd/engine.js'

await t.test('etcd: conformance, one member', { skip: skipWithout('etcd') }, async (t) => {
  const { url } = await startEtcd(t)
  await conformanceSuite({ test: (title, run) => t.test(title, run), createAdapter: await subjectsOn(t, url) })
})

await t.test('etcd: conformance, three members', { skip: skipWithout('etcd') }, async (t) => {
  const { url } = await startEtcdCluster(t)
  await conformanceSuite({ test: (title, run) => t.test(title, run), createAdapter: await subjectsOn(t, url) })
})
