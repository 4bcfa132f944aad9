import { Cluster, Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { inspect } from 'node:util'
import { redisAdapter, type RedisAdapterOptions, type RedisClient } from '../../../lib/storage/redis/index.js'
import { redisNames } from '../../../lib/storage/redis/keys.js'
import { checkServer, type Asking } from '../../../lib/storage/redis/boot.js'
import { freePort } from '../../support/services/free-port.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'
import { answering, CLUSTER_DRIVERS, DRIVERS, openedAdapter, soon } from '../../support/redis/clients.js'

const INVALID = 'FST_IF_MATCH_INVALID_ADAPTER'
const ANY = { kind: 'any' } as const

async function refused (
  t: Test,
  client: RedisClient,
  message: RegExp,
  options: Partial<RedisAdapterOptions> = {}
): Promise<void> {
  const adapter = redisAdapter({ client, timeout: 2000, ...options })
  const error = await soon(adapter.open!()).then(
    () => undefined,
    (error: unknown) => error
  )
  t.match(error, { code: INVALID, message })
  t.notMatch(inspect(error, { depth: 9 }), /s3cret/)
  await t.rejects(adapter.read('k'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
}

async function warnings (open: () => Promise<unknown>): Promise<string[]> {
  const codes: string[] = []
  const note = (warning: Error) => { codes.push((warning as { code?: string }).code ?? '') }
  process.on('warning', note)
  await open()
  await new Promise(setImmediate)
  process.off('warning', note)
  return codes.filter((code) => code.startsWith('FST_IF_MATCH'))
}

/** A server that answers as told; what it is not told about succeeds. */
function asking (answers: Record<string, unknown>): Asking {
  const answer = async (name: string): Promise<unknown> => {
    const told = name in answers ? answers[name] : null
    if (told instanceof Error) throw told
    return told
  }
  return {
    ask: async (_key, command) => await answer(command.join(' ').replace(/ p:.*/, '')),
    change: async () => await answer('EVALSHA')
  }
}

const good = {
  'INFO server': 'redis_version:6.2.0\r\n',
  'CONFIG GET maxmemory-policy': ['maxmemory-policy', 'noeviction'],
  'CONFIG GET proto-max-bulk-len': ['proto-max-bulk-len', '7'],
  GET: 'entity'
}

await t.test('redis: the boot accepts 6.2 and later, and learns how large a value may be', async (t) => {
  const check = async (answers: Record<string, unknown>) =>
    await checkServer(asking({ ...good, ...answers }), redisNames('p:', false))
  t.equal(await check({}), 7)
  for (const version of ['6.2.14', '7.0.15', '8.0-rc1', '10.1']) { t.equal(await check({ 'INFO server': `redis_version:${version}\r\n` }), 7) }
  for (const version of ['6.0.9', '5.0', '3.2.1']) {
    await t.rejects(check({ 'INFO server': `redis_version:${version}\r\n` }), {
      code: INVALID,
      message: /6\.2 or later/
    })
  }
  const forbidden = new Error('NOPERM this user has no permissions')
  const unknown = new Error("ERR unknown command 'CONFIG'")
  t.equal(await check({ 'INFO server': forbidden }), 7)
  t.equal(await check({ 'CONFIG GET proto-max-bulk-len': unknown }), 512 * 1024 * 1024)
  t.strictSame(await warnings(async () => await check({})), [])
  for (const error of [forbidden, unknown]) {
    t.strictSame(await warnings(async () => await check({ 'CONFIG GET maxmemory-policy': error })), [
      'FST_IF_MATCH_REDIS_EVICTION_UNCHECKED'
    ])
  }
  await t.rejects(check({ 'INFO server': new Error('Connection is closed.') }), /closed/)
  for (const code of ['NOPERM', 'READONLY', 'WRONGTYPE', 'MOVED', 'ERR', 'closed']) {
    for (const command of ['EVALSHA', 'SETNX']) { await t.rejects(check({ [command]: new Error(`${code} no`) }), new RegExp(code)) }
  }
  t.equal(
    await check({
      EVALSHA: new Error('OOM command not allowed'),
      SETNX: new Error('OOM command not allowed'),
      GET: null
    }),
    7,
    'what is full can still be read'
  )
  for (const [list, other] of [[false, 'collection'], ['collection', 'entity']] as const) {
    await t.rejects(checkServer(asking({ ...good, GET: other }), redisNames('p:', list)), {
      code: INVALID,
      message: /"list"/
    })
  }
})

await t.test('redis: nobody at the address: a clear error at boot, and quickly', async (t) => {
  const port = await freePort()
  for (const connect of Object.values(DRIVERS)) {
    await refused(t, connect(`redis://127.0.0.1:${port}`), /ECONNREFUSED/)
    await refused(t, connect('redis://nobody.invalid'), /ENOTFOUND|EAI_AGAIN/)
  }
  for (const connect of Object.values(CLUSTER_DRIVERS)) { await refused(t, connect(`redis://127.0.0.1:${port}`), /cannot use this Redis server/) }
})

await t.test('redis: a server that nobody may use as they like', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 's3cret' } })
  const admin = new Redis(url, { password: 's3cret' })
  t.teardown(() => admin.disconnect())
  const at = (credentials: string) => url.replace('//', `//${credentials}@`)

  for (const [driver, connect] of Object.entries(DRIVERS)) {
    await t.test(`redis: ${driver}: a wrong password, and none, are clear errors at boot`, async (t) => {
      await refused(t, connect(at(':s3cret-not')), /password is wrong/)
      await refused(t, connect(url), /asks for a password/)
    })

    await t.test(`redis: ${driver}: a user who may not run the script, or what is in it, is refused at boot`, async (t) => {
      for (const [user, rules] of [
        ['reader', '+@read'],
        ['halfway', '-zadd'],
        ['halfway', '-zrem'],
        ['halfway', '-del'],
        ['elsewhere', '~other:*']
      ] as const) {
        const all =
          user === 'reader' ? ['~*', '+@connection', '+info'] : user === 'halfway' ? ['~*', '+@all'] : ['+@all']
        await admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>s3cret', ...all, rules)
        await refused(t, connect(at(`${user}:s3cret`)), /may not do/, { list: 'collection' })
      }
    })

    await t.test(`redis: ${driver}: of what the boot tries out nothing is left`, async (t) => {
      const prefix = `${uniqueName()}:`
      await openedAdapter(t, connect(at(':s3cret')), { prefix, list: 'collection' })
      t.strictSame(await admin.keys(`${prefix}*`), [`${prefix}layout`])
    })

    await t.test(`redis: ${driver}: an eviction policy is warned of, and so is one that cannot be seen (E49)`, async (t) => {
      await admin.call('ACL', 'SETUSER', 'managed', 'reset', 'on', '>s3cret', '~*', '+@all', '-config')
      const open = async (credentials: string) => {
        const adapter = redisAdapter({ client: connect(at(credentials)) })
        await adapter.open!()
        await adapter.close!()
      }
      t.strictSame(await warnings(async () => await open(':s3cret')), [])
      t.strictSame(await warnings(async () => await open('managed:s3cret')), ['FST_IF_MATCH_REDIS_EVICTION_UNCHECKED'])
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
      t.strictSame(await warnings(async () => await open(':s3cret')), ['FST_IF_MATCH_REDIS_EVICTION'])
      await admin.config('SET', 'maxmemory-policy', 'noeviction')
    })

    await t.test(`redis: ${driver}: a database that the server does not have, or the user may not select, is refused at boot, and nothing goes into another one`, async (t) => {
      const before = await admin.dbsize()
      await refused(t, connect(`${at(':s3cret')}/99`), /out of range/)
      await admin.call('ACL', 'SETUSER', 'pinned', 'reset', 'on', '>s3cret', '~*', '+@all', '-select')
      await refused(t, connect(`${at('pinned:s3cret')}/3`), /may not do/)
      t.equal(await admin.dbsize(), before)
    })

    await t.test(`redis: ${driver}: a database that is gone after a reconnect is an outage, and not another database`, async (t) => {
      await admin.call('ACL', 'SETUSER', 'movable', 'reset', 'on', '>s3cret', '~*', '+@all')
      const adapter = await openedAdapter(t, connect(`${at('movable:s3cret')}/3`))
      t.match(await adapter.write('k', 1, ANY), { applied: true })
      await admin.call('ACL', 'SETUSER', 'movable', '-select')
      await admin.call('CLIENT', 'KILL', 'USER', 'movable')
      for (let at = 0; at < 40; at++) {
        const outcome = await adapter.read('k').then(
          (found) => found?.value,
          (error: Error & { code?: string }) => error.code
        )
        t.ok(outcome === 'FST_IF_MATCH_STORAGE_UNAVAILABLE' || (at === 0 && outcome === 1), String(outcome))
        await delay(25)
      }
      await admin.call('ACL', 'SETUSER', 'movable', '+select')
      await answering(adapter)
      t.match(await adapter.read('k'), { value: 1 })
    })

    await t.test(`redis: ${driver}: a replica is refused at boot`, async (t) => {
      await admin.replicaof('127.0.0.1', '1')
      await refused(t, connect(at(':s3cret')), /is a replica/)
      await admin.replicaof('NO', 'ONE')
    })
  }

  await t.test('redis: a value larger than the server takes is refused before anything is sent, and its neighbours are written', async (t) => {
    await admin.config('SET', 'proto-max-bulk-len', '1mb')
    const adapter = redisAdapter({ client: DRIVERS.ioredis!(at(':s3cret')) })
    await adapter.open!()
    const [large, neighbour] = await Promise.allSettled([
      adapter.write('large', '\u20ac'.repeat(400_000), ANY),
      adapter.write('neighbour', 1, ANY)
    ])
    t.match(large, { reason: { code: 'FST_IF_MATCH_INVALID_VALUE', message: /1048576 bytes/ } })
    t.match(neighbour, { value: { applied: true } })
    const fits = 'x'.repeat(1024 * 1024 - 2)
    t.match(await adapter.write('large', fits, ANY), { applied: true })
    t.equal((await adapter.read('large'))?.value, fits)
    await adapter.close!()
  })
})

await t.test('redis: ioredis: what each member of a Cluster says is the reason, and not that all of them failed', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 's3cret' } })
  const cluster = (password?: string) =>
    new Cluster([{ host: '127.0.0.1', port: Number(new URL(url).port) }], {
      lazyConnect: true,
      redisOptions: { password }
    })
  await refused(t, cluster('s3cret-not'), /password is wrong/)
  await refused(t, cluster(), /asks for a password/)
  await refused(t, cluster('s3cret'), /cluster support disabled/)
})

await t.test('redis: a member of a Cluster wants a client for Cluster', { skip: skipWithout('redis-cluster') }, async (t) => {
  const { url } = await startRedisCluster(t)
  const members = url.split(',')
  for (const connect of Object.values(DRIVERS)) {
    // Whichever slot the probe has, two of the three do not serve it.
    const outcomes = await Promise.allSettled(members.map(async (member) => {
      const adapter = redisAdapter({ client: connect(member), prefix: uniqueName() })
      try {
        await adapter.open!()
      } finally {
        await adapter.close!()
      }
    }))
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected')
    t.ok(refusals.length >= 2)
    for (const { reason } of refusals) t.match(reason, { code: INVALID, message: /belongs to a Cluster/ })
  }
})
