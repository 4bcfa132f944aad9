import { inspect } from 'node:util'
import t from 'tap'
import { etcdAdapter } from '../../../lib/storage/etcd/index.js'
import { certificatesFor } from '../../support/certificates.js'
import { openedEtcd } from '../../support/etcd/engine.js'
import { auth, startWithLogin } from '../../support/etcd/users.js'
import { ANY, EXISTS } from '../../support/expectations.js'
import { newFolder, startEngine } from '../../support/services/engine-process.js'
import { startEtcd } from '../../support/services/etcd.js'
import { freePort } from '../../support/services/free-port.js'
import { programOf, skipWithout, skipWithoutOwn } from '../../support/services/programs.js'

const INVALID = 'FST_IF_MATCH_INVALID_ADAPTER'

await t.test('etcd: a login', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { url: endpoints } = await startWithLogin(t)

  await t.test('with a login everything works, batches and listings too', async (t) => {
    const adapter = await openedEtcd(t, { endpoints, auth })
    const outcomes = await Promise.all(['a', 'b', 'c'].map(async (key) => await adapter.write(key, key, ANY)))
    t.match(outcomes, outcomes.map(() => ({ applied: true })))
    t.equal((await adapter.list('')).items.length, 3)
    t.match(await adapter.remove('a', EXISTS), { applied: true })
  })

  await t.test('without a login, with a wrong password or without the right, it does not boot, says why and quotes no password', async (t) => {
    for (const [options, message] of [
      [{}, /"auth"/],
      [{ auth: { ...auth, password: 'another secret' } }, /does not know this user/],
      [{ auth, prefix: 'elsewhere/' }, /role/],
      ...['key', 'reader', 'writer'].map((user) => [{ auth: { ...auth, user } }, /role/] as const)
    ] as const) {
      const adapter = etcdAdapter({ endpoints, ...options })
      const error = await adapter.open!().then(() => undefined, (error: unknown) => error)
      await adapter.close!()
      t.match(error, { code: INVALID, message })
      t.notMatch(inspect(error, { depth: 9 }), /secret/)
    }
  })
})

await t.test('etcd: a login at a server without authentication does not boot, and says so', { skip: skipWithout('etcd') }, async (t) => {
  const { url } = await startEtcd(t)
  const adapter = etcdAdapter({ endpoints: url, auth })
  await t.rejects(adapter.open!(), { code: INVALID, message: /turned off/ })
  await adapter.close!()
})

await t.test('etcd: TLS with an authority of its own, and certificates of clients', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { ca, server, client } = certificatesFor(t)
  const url = `https://127.0.0.1:${await freePort()}`
  const peer = `http://127.0.0.1:${await freePort()}`
  const folder = newFolder('etcd')
  const options = {
    'data-dir': folder,
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    'cert-file': server.certFile,
    'key-file': server.keyFile,
    'trusted-ca-file': ca.certFile
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  await startEngine(t, {
    url,
    folder,
    ready: /ready to serve client requests/,
    command: [programOf('etcd'), ...args, '--client-cert-auth']
  })
  const tls = { ca: ca.cert, cert: client.cert, key: client.key }
  const adapter = await openedEtcd(t, { endpoints: url, tls })
  const outcomes = await Promise.all([adapter.write('a', 1, ANY), adapter.write('b', 1, ANY)])
  t.match(outcomes, [{ applied: true }, { applied: true }])
  t.match(await adapter.read('a'), { value: 1 })
  for (const [title, options] of [
    ['no TLS', { endpoints: url.replace('https', 'http') }],
    ['an unknown authority', { endpoints: url, tls: { ...tls, ca: undefined } }],
    ['no certificate', { endpoints: url, tls: { ca: ca.cert } }]
  ] as const) {
    const refused = etcdAdapter(options)
    await t.rejects(refused.open!(), { code: INVALID }, title)
    await refused.close!()
  }
})
