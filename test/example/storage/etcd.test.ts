import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { SettingError } from '../../../example/storage/setting-error.js'
import { createStorage } from '../../../example/storage/index.js'
import { ABSENT } from '../../support/expectations.js'
import { startEtcd } from '../../support/services/etcd.js'
import { skipWithout } from '../../support/services/programs.js'
import { storageSetting, uniqueName } from '../../support/services/service.js'
import { base64 } from '../../support/etcd/base64.js'
import { deadOrigin, EtcdStub } from '../../support/etcd/stub.js'

const hasIpv6 = Object.values(networkInterfaces()).flat().some((network) => network?.address === '::1')

const hostOf = (origin: string): string => new URL(origin).host

/** A stub that lets everybody in, and notes their requests. */
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

await t.test('etcd: an address of another form is refused when the server starts, without its value', async (t) => {
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
    const error = await createStorage(setting).then(() => undefined, (error: Error) => error)
    t.ok(error instanceof SettingError, setting)
    t.match(error?.message, /^STORAGE accepts "etcd\[s\]:/)
    t.notMatch(error?.message, /hush/)
  }
})

await t.test('etcd: a member, user and password with special characters, and the prefix of the keys', async (t) => {
  const stub = await welcoming(t)
  await open(t, `etcd://ann:p%40ss%3Aw@${hostOf(stub.origin)}?prefix=mine/`)
  const last = (path: string) => stub.requests.findLast((request) => request.path === path)
  const rangeOf = (prefix: string) => ({ success: [{ request_range: { key: base64(prefix) } }] })
  t.match(last('/v3/auth/authenticate'), { body: { name: 'ann', password: 'p@ss:w' } })
  t.match(last('/v3/kv/txn'), { body: rangeOf('mine/'), token: 'a token' })
  await open(t, `etcd://ann@${hostOf(stub.origin)}?prefix=`)
  t.match(last('/v3/auth/authenticate'), { body: { name: 'ann', password: '' } })
  t.match(stub.requests.at(-1), { body: rangeOf('entities/') }, 'an empty prefix is the default')
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
  const storage = await createStorage(`${storageSetting(url)}?prefix=${uniqueName()}/`)
  await storage.open?.()
  t.match(await storage.write('/a', 1, ABSENT), { applied: true })
  t.match(await storage.list?.('/'), { items: [{ key: '/a', value: 1 }] })
  await storage.close?.()
  await t.rejects(storage.read('/a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
})
