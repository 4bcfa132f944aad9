import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SettingError } from '../../../example/storage/setting-error.js'
import { createStorage } from '../../../example/storage/index.js'
import { listening, start } from '../../support/example/server-process.js'
import { startEtcd, startEtcdCluster } from '../../support/services/etcd.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'
import { base64 } from '../../support/etcd/engine.js'
import { deadOrigin, EtcdStub } from '../../support/etcd/stub.js'
import { auth, startWithLogin } from '../../support/etcd/users.js'

const RETURNS_WITHIN = 20_000
const hasIpv6 = Object.values(networkInterfaces()).flat().some((network) => network?.address === '::1')

const hostOf = (origin: string): string => new URL(origin).host

/** A stub that lets everybody in, and what came to it. */
async function welcoming (t: Test, host?: string): Promise<EtcdStub> {
  return await EtcdStub.start(
    t,
    ({ path }) => ({
      json: path === '/version' ? { etcdserver: '3.5.0' } : { token: 'a token', header: { revision: '1' } }
    }),
    host
  )
}

async function open (t: Test, setting: string): Promise<void> {
  const storage = await createStorage(setting)
  t.teardown(async () => { await storage.close?.() })
  await storage.open?.()
}

await t.test('etcd: what has another form is refused when the server starts, without its value', async (t) => {
  for (const setting of [
    'etcd:',
    'etcd://',
    'etcd://hush/entities',
    'etcd://hush:hush',
    'etcd://a,hush:99999',
    'etcd://%zz:hush@a',
    'etcd://:hush@a',
    'etcd://hush%20hush',
    'etcd://a?prefix=hush%00',
    'etcds://a?hush#hush'
  ]) {
    const error = await createStorage(setting).then(
      () => undefined,
      (error: Error) => error
    )
    t.ok(error instanceof SettingError, setting)
    t.match(error?.message, /^STORAGE accepts "etcd\[s\]:/)
    t.notMatch(error?.message, /hush/)
  }
})

await t.test('etcd: a member, user and password with what is special in them, and the prefix of the keys', async (t) => {
  const stub = await welcoming(t)
  await open(t, `etcd://ann:p%40ss%3Aw@${hostOf(stub.origin)}?prefix=mine/`)
  t.match(
    stub.requests.find(({ path }) => path === '/v3/auth/authenticate'),
    { body: { name: 'ann', password: 'p@ss:w' } }
  )
  t.match(
    stub.requests.find(({ path }) => path === '/v3/kv/txn'),
    { body: { success: [{ request_range: { key: base64('mine/') } }] }, token: 'a token' }
  )
  await open(t, `etcd://ann@${hostOf(stub.origin)}?prefix=`)
  t.match(
    stub.requests.findLast(({ path }) => path === '/v3/auth/authenticate'),
    { body: { name: 'ann', password: '' } }
  )
  t.match(
    stub.requests.at(-1),
    { body: { success: [{ request_range: { key: base64('entities/') } }] } },
    'an empty prefix is the default'
  )
})

await t.test('etcd: several members, of which one is enough', async (t) => {
  const stub = await welcoming(t)
  await open(t, `etcd://${hostOf(await deadOrigin(t))},${hostOf(stub.origin)}`)
  t.ok(stub.requests.length > 0)
})

await t.test('etcd: an address of IPv6', { skip: !hasIpv6 && 'no IPv6 here' }, async (t) => {
  const stub = await welcoming(t, '::1')
  await open(t, `etcd://[::1]:${new URL(stub.origin).port}`)
  t.ok(stub.requests.length > 0)
})

await t.test('etcds: nothing is said without TLS, the password least of all', async (t) => {
  const stub = await welcoming(t)
  await t.rejects(open(t, `etcds://ann:hush@${hostOf(stub.origin)}`), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /https:.*cannot be reached/
  })
  t.strictSame(stub.requests, [])
})

await t.test('etcd: the storage of the server works on the real engine', { skip: skipWithout('etcd') }, async (t) => {
  const { url } = await startEtcd(t)
  const storage = await createStorage(`etcd://${hostOf(url)}?prefix=${uniqueName()}/`)
  await storage.open?.()
  t.match(await storage.write('/a', 1, { kind: 'absent' }), { applied: true })
  t.match(await storage.list?.('/'), { items: [{ key: '/a', value: 1 }] })
  await storage.close?.()
  await t.rejects(storage.read('/a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
})

await t.test('etcd: with a wrong password the server says so in one line, and ends', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { url } = await startWithLogin(t)
  const wrong = start(t, { STORAGE: `etcd://${auth.user}:hush@${hostOf(url)}`, LOG_LEVEL: 'silent' })
  t.strictSame(await wrong.exit, [1, null])
  t.match(wrong.log.text(), /^[^\n]*does not know this user[^\n]*\n$/)
  t.notMatch(wrong.log.text() + wrong.output.text(), /hush/)
  await listening(start(t, { STORAGE: `etcd://${auth.user}:${encodeURIComponent(auth.password)}@${hostOf(url)}` }))
})

await t.test('etcd: the server goes on when one of three members is killed, and nothing that it acknowledged is lost', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { members } = await startEtcdCluster(t)
  const port = await listening(start(t, { STORAGE: `etcd://${members.map(({ url }) => hostOf(url)).join(',')}` }))
  const call = async (name: string, init?: RequestInit) =>
    await fetch(`http://127.0.0.1:${port}/api/publishers/contoso/offers/${name}?api-version=2017-10-31`, {
      ...init,
      headers: { authorization: 'Bearer dev-contoso', 'content-type': 'application/json', 'if-match': '*' }
    })
  const put = async (name: string) => (await call(name, { method: 'PUT', body: '{"offerTypeId":"x"}' })).status
  t.equal(await put('before'), 201)
  // The one that is asked. Where it led, the others elect one first.
  await members[0]!.kill()
  const end = performance.now() + RETURNS_WITHIN
  const statuses = [await put('after')]
  while (statuses.at(-1)! >= 500 && performance.now() < end) {
    await delay(100)
    statuses.push(await put('after'))
  }
  t.match(statuses.at(-1), /^20[01]$/)
  t.ok(statuses.slice(0, -1).every((status) => status === 503), 'unavailable meanwhile, and nothing else')
  for (const name of ['before', 'after']) t.equal((await call(name)).status, 200)
})
