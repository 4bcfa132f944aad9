import { Redis } from 'ioredis'
import t from 'tap'
import { createStorage } from '../../../example/storage/index.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import { put } from '../../support/example/server-client.js'
import { listening, start } from '../../support/example/server-process.js'
import { ABSENT } from '../../support/expectations.js'
import { freePort } from '../../support/services/free-port.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { startRedis } from '../../support/services/redis.js'
import { storageSetting, uniqueName } from '../../support/services/service.js'
import { certificatesFor } from '../../support/certificates.js'

await t.test('redis://: an address of another form is refused, without its value', async (t) => {
  const wrong = [
    'redis:',
    'redis://',
    'redis://:hush@',
    'redis://:hush@host/offers',
    'redis://:hush@host/-1',
    'redis://:hush@host/1.0',
    'redis://:hush@host/1e1',
    'redis://:hush@host/0x1',
    'redis://:hush@host/1/2',
    'rediss://:hush@host,other/1',
    'redis://host?prefx=hush',
    'redis://host:hush'
  ]
  for (const setting of wrong) {
    const error = await createStorage(setting).then(() => undefined, (error: Error) => error)
    t.ok(error instanceof SettingError, setting)
    t.match(error?.message, /^STORAGE accepts "redis\[s\]:/)
    t.notMatch(error?.message, /hush/)
  }
})

await t.test('redis://: user, password, database and prefix are those of the address', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 'hu@sh' } })
  const admin = new Redis(url, { password: 'hu@sh', db: 3 })
  t.teardown(() => admin.disconnect())
  await admin.call('ACL', 'SETUSER', 'ann', 'on', '>hush', '~anns:*', '+@all')
  for (const [credentials, prefix] of [[':hu%40sh', 'mine:'], ['ann:hush', 'anns:'], [':hu%40sh', '']] as const) {
    const storage = await createStorage(`${url.replace('//', `//${credentials}@`)}/3?prefix=${prefix}`)
    await storage.open?.()
    t.match(await storage.write('/a', 1, ABSENT), { applied: true })
    t.equal(await admin.exists(`${prefix || 'if-match:'}{/}:a`), 1)
    t.match(await storage.list?.('/'), { items: [{ key: '/a', value: 1 }] })
    await storage.close?.()
  }
})

await t.test('redis:// with several hosts is a Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
  for (const database of ['', '/0']) {
    const storage = await createStorage(`${storageSetting(url)}${database}?prefix=${uniqueName()}:`)
    await storage.open?.()
    for (const key of ['/a/1', '/b/1', '/c/1', '/d/1']) {
      t.match(await storage.write(key, key, ABSENT), { applied: true })
    }
    t.match(await storage.list?.('/d/'), { items: [{ key: '/d/1', value: '/d/1' }] })
    await storage.close?.()
  }
})

await t.test('rediss:// is TLS, with the authorities that Node is told', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { ca, server } = certificatesFor(t)
  const tlsPort = await freePort()
  await startRedis(t, {
    settings: {
      'tls-port': String(tlsPort),
      'tls-cert-file': server.certFile,
      'tls-key-file': server.keyFile,
      'tls-ca-cert-file': ca.certFile,
      'tls-auth-clients': 'no'
    }
  })
  const STORAGE = `rediss://127.0.0.1:${tlsPort}`
  const storage = await createStorage(STORAGE)
  await t.rejects(storage.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /certificate/ })
  const port = await listening(start(t, { STORAGE, NODE_EXTRA_CA_CERTS: ca.certFile }))
  t.equal((await put(port, 'tide-db')).status, 201)
})

await t.test('redis://: a wrong password stops the start, with one line that does not show it', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 'hush' } })
  const { exit, log, output } = start(t, { STORAGE: url.replace('//', '//:hush-not@') })
  t.strictSame(await exit, [1, null])
  t.match(log.text(), /^[^\n]*the user name or the password is wrong\.\n$/)
  t.notMatch(log.text(), /hush/)
  t.equal(output.text(), '')
})
