import { inspect } from 'node:util'
import t from 'tap'
import { etcdAdapter } from '../../../lib/storage/etcd/index.js'
import { startEngine, newFolder } from '../../support/services/engine-process.js'
import { startEtcd } from '../../support/services/etcd.js'
import { freePort } from '../../support/services/free-port.js'
import { programOf, skipWithoutOwn } from '../../support/services/programs.js'
import { certificatesFor } from '../../support/etcd/certificates.js'
import { openedEtcd } from '../../support/etcd/engine.js'
import { auth, startWithLogin } from '../../support/etcd/users.js'

const ANY = { kind: 'any' } as const

await t.test('etcd: a login', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const service = await startWithLogin(t)
  const endpoints = service.url

  await t.test('with it everything works, batches and listings too, and after a restart, which forgets all tokens (E59)', async (t) => {
    const adapter = await openedEtcd(t, { endpoints, auth })
    t.match(await Promise.all(['a', 'b', 'c'].map((key) => adapter.write(key, key, ANY))), [
      { applied: true },
      { applied: true },
      { applied: true }
    ])
    await service.restart()
    t.match(await Promise.all(['a', 'b'].map((key) => adapter.write(key, 2, { kind: 'exists' }))), [
      { applied: true },
      { applied: true }
    ])
    await service.restart()
    t.match(await adapter.write('a', 3, { kind: 'exists' }), { applied: true })
    await service.restart()
    t.equal((await adapter.list('')).items.length, 3)
    t.match(await adapter.remove('a', { kind: 'exists' }), { applied: true })
  })

  await t.test('without it, with a wrong password or without the right, it does not boot, says why and quotes no password', async (t) => {
    for (const [options, message] of [
      [{}, /"auth"/],
      [{ auth: { ...auth, password: 'another secret' } }, /does not know this user/],
      [{ auth, prefix: 'elsewhere/' }, /role/],
      ...['key', 'reader', 'writer'].map((user) => [{ auth: { ...auth, user } }, /role/] as const)
    ] as const) {
      const adapter = etcdAdapter({ endpoints, ...options })
      const error = await adapter.open!().then(() => undefined, (error: unknown) => error)
      await adapter.close!()
      t.match(error, { code: 'FST_IF_MATCH_INVALID_ADAPTER', message })
      t.notMatch(inspect(error, { depth: 9 }), /secret/)
    }
  })
})

await t.test('etcd: a login where there is none to make does not boot, and says so', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { url } = await startEtcd(t, { own: true })
  const adapter = etcdAdapter({ endpoints: url, auth })
  await t.rejects(adapter.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /turned off/ })
  await adapter.close!()
})

await t.test('etcd: TLS with an authority of its own, and certificates of clients', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { ca, server, client } = certificatesFor(t)
  const url = `https://127.0.0.1:${await freePort()}`
  const peer = `http://127.0.0.1:${await freePort()}`
  const folder = newFolder('etcd')
  await startEngine(t, {
    url,
    folder,
    ready: /ready to serve client requests/,
    command: [
      programOf('etcd'),
      '--data-dir',
      folder,
      '--listen-client-urls',
      url,
      '--advertise-client-urls',
      url,
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      `default=${peer}`,
      '--cert-file',
      server.certFile,
      '--key-file',
      server.keyFile,
      '--trusted-ca-file',
      ca.certFile,
      '--client-cert-auth'
    ]
  })
  const tls = { ca: ca.cert, cert: client.cert, key: client.key }
  const adapter = await openedEtcd(t, { endpoints: url, tls })
  t.match(await Promise.all([adapter.write('a', 1, ANY), adapter.write('b', 1, ANY)]), [
    { applied: true },
    { applied: true }
  ])
  t.match(await adapter.read('a'), { value: 1 })
  for (const [title, options] of [
    ['no TLS', { endpoints: url.replace('https', 'http') }],
    ['an unknown authority', { endpoints: url, tls: { ...tls, ca: undefined } }],
    ['no certificate', { endpoints: url, tls: { ca: ca.cert } }]
  ] as const) {
    const refused = etcdAdapter(options)
    await t.rejects(refused.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER' }, title)
    await refused.close!()
  }
})
