import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { createStorage } from '../../../example/storage/index.js'
import { SettingError } from '../../../example/storage/setting-error.js'
import { listening, start } from '../../support/example/server-process.js'
import { freePort } from '../../support/services/free-port.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { startRedis } from '../../support/services/redis.js'
import { storageSetting, uniqueName } from '../../support/services/service.js'
import { certificatesFor } from '../../support/etcd/certificates.js'

const ABSENT = { kind: 'absent' } as const

/** Puts an offer into the server at this port. */
async function put (port: string, id: string): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}/api/publishers/contoso/offers/${id}?api-version=2017-10-31`, {
    method: 'PUT',
    headers: { authorization: 'Bearer dev-contoso', 'content-type': 'application/json', 'if-none-match': '*' },
    body: '{"offerTypeId":"x"}'
  })
}

await t.test('a form that redis:// does not have is refused, without its value', async (t) => {
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

await t.test('redis://: user, password, database and prefix are those that it says', { skip: skipWithoutOwn('redis') }, async (t) => {
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
    for (const key of ['/a/1', '/b/1', '/c/1', '/d/1']) { t.match(await storage.write(key, key, ABSENT), { applied: true }) }
    t.match(await storage.list?.('/d/'), { items: [{ key: '/d/1', value: '/d/1' }] })
    await storage.close?.()
  }
})

await t.test('rediss:// is TLS; who vouches for the server is what Node is told', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { ca, server } = certificatesFor(t)
  const port = await freePort()
  await startRedis(t, {
    settings: {
      'tls-port': String(port),
      'tls-cert-file': server.certFile,
      'tls-key-file': server.keyFile,
      'tls-ca-cert-file': ca.certFile,
      'tls-auth-clients': 'no'
    }
  })
  const STORAGE = `rediss://127.0.0.1:${port}`
  const storage = await createStorage(STORAGE)
  await t.rejects(storage.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /certificate/ })
  t.equal((await put(await listening(start(t, { STORAGE, NODE_EXTRA_CA_CERTS: ca.certFile })), 'tide-db')).status, 201)
})

await t.test('a wrong password stops the start, with one line that does not show it', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 'hush' } })
  const { exit, log, output } = start(t, { STORAGE: url.replace('//', '//:hush-not@') })
  t.strictSame(await exit, [1, null])
  t.match(log.text(), /^[^\n]*the user name or the password is wrong\.\n$/)
  t.notMatch(log.text(), /hush/)
  t.equal(output.text(), '')
})

await t.test('Redis ends, and is restarted: 503 with Retry-After meanwhile and at once, then all is as before', { skip: skipWithoutOwn('redis') }, async (t) => {
  const service = await startRedis(t, { own: true })
  const port = await listening(start(t, { STORAGE: service.url }))
  t.equal((await put(port, 'tide-db')).status, 201)
  await service.kill()
  const since = performance.now()
  for (let at = 0; at < 5; at++) {
    const response = await put(port, 'ghost')
    t.equal(response.status, 503)
    t.match(response.headers.get('retry-after'), /^\d+$/)
  }
  t.ok(performance.now() - since < 5000)
  await service.restart()
  let status: number | undefined
  for (let at = 0; at < 200 && status !== 201; at++) {
    status = (await put(port, 'ghost')).status
    await delay(status === 201 ? 0 : 50)
  }
  t.equal(status, 201, 'nothing of what was answered 503 was written')
})
