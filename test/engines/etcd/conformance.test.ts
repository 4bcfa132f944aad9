import t from 'tap'
import { conformance } from '../../support/etcd/engine.js'
import { skipWithout } from '../../support/services/programs.js'
import { startEtcd } from '../../support/services/etcd.js'

await t.test('etcd: conformance, one member', { skip: skipWithout('etcd') }, async (t) => {
  const { url } = await startEtcd(t)
  await conformance(t, url)
})
