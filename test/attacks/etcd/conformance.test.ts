import t from 'tap'
import { conformance } from '../../support/etcd/engine.js'
import { startEtcdCluster } from '../../support/services/etcd.js'
import { skipWithout } from '../../support/services/programs.js'

await t.test('etcd: conformance, three members', { skip: skipWithout('etcd') }, async (t) => {
  const { url } = await startEtcdCluster(t)
  await conformance(t, url)
})
