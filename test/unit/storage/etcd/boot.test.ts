import t, { type Test } from 'tap'
import { checkEtcd } from '../../../../lib/storage/etcd/boot.js'
import { EtcdGateway, type EtcdAuth } from '../../../../lib/storage/etcd/gateway.js'
import { deadOrigin, etcdError, EtcdStub, type StubAnswer } from '../../../support/etcd/stub.js'

async function boot (t: Test, endpoints: string[], auth?: EtcdAuth): Promise<void> {
  const gateway = new EtcdGateway({ endpoints, auth, timeout: 20_000 })
  try {
    await checkEtcd(gateway, 'entities/')
  } finally {
    gateway.close()
  }
}

async function answering (t: Test, version: unknown, answer: StubAnswer = { json: {} }): Promise<string> {
  return (await EtcdStub.start(t, ({ path }) => path === '/version' ? { json: version } : answer)).origin
}

await t.test('etcd-boot: 3.4 and newer boots, also by its second endpoint', async (t) => {
  for (const etcdserver of ['3.4.0', '3.5.17', '3.10.0', '4.0.0']) {
    await t.resolves(boot(t, [await deadOrigin(t), await answering(t, { etcdserver })]))
  }
})

await t.test('etcd-boot: an older server, and one that is no etcd, do not boot', async (t) => {
  for (const version of [{ etcdserver: '3.3.27' }, { etcdserver: '2.3.8' }, {}, { etcdserver: 'x' }]) {
    await t.rejects(boot(t, [await answering(t, version)]), {
      code: 'FST_IF_MATCH_INVALID_ADAPTER',
      message: /older than 3\.4, or is none/
    })
  }
  const stub = await EtcdStub.start(t, () => ({ status: 404, text: 'Not Found' }))
  await t.rejects(boot(t, [stub.origin]), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /Check the endpoints/ })
})

await t.test('etcd-boot: if nobody answers, it does not boot, and says which address it asked', async (t) => {
  await t.rejects(boot(t, [await deadOrigin(t)]), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /127\.0\.0\.1.*ECONNREFUSED/
  })
})

await t.test('etcd-boot: a user who may not write does not boot', async (t) => {
  await t.rejects(
    boot(t, [await answering(t, { etcdserver: '3.4.23' }, etcdError(403, 7, 'etcdserver: permission denied'))]),
    { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /role/ }
  )
})
