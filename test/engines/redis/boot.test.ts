import { Cluster } from 'ioredis'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { redisAdapter, type RedisAdapterOptions, type RedisClient } from '../../../lib/storage/redis/index.js'
import { ANY } from '../../support/expectations.js'
import {
  CLUSTER_DRIVERS,
  DRIVERS,
  lookingAt,
  openedAdapter,
  soon,
  untilAnswers
} from '../../support/redis/clients.js'
import { sideBySide } from '../../support/redis/side-by-side.js'
import { warningsOf } from '../../support/redis/warnings.js'
import { freePort } from '../../support/services/free-port.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'
import { until } from '../../support/until.js'

const INVALID = 'FST_IF_MATCH_INVALID_ADAPTER'
const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
// At boot node-redis tries again until the timeout.
const TIMEOUT = 1000

async function refused (
  t: Test, client: RedisClient, message: RegExp, options: Partial<RedisAdapterOptions> = {}
): Promise<void> {
  const adapter = redisAdapter({ client, timeout: TIMEOUT, ...options })
  const error = await soon(adapter.open!()).then(
    () => undefined,
    (error: unknown) => error
  )
  t.match(error, { code: INVALID, message })
  t.notMatch(inspect(error, { depth: 9 }), /s3cret/)
  await t.rejects(adapter.read('k'), { code: UNAVAILABLE })
}

await t.test('redis: nobody at the address: a clear error at boot', async (t) => {
  const port = await freePort()
  await Promise.all([
    ...Object.values(DRIVERS).flatMap((connect) => [
      refused(t, connect(`redis://127.0.0.1:${port}`), /ECONNREFUSED/),
      // A resolver may take longer than the timeout.
      refused(t, connect('redis://nobody.invalid'), /ENOTFOUND|EAI_AGAIN|no connection within/)
    ]),
    ...Object.values(CLUSTER_DRIVERS).map(async (connect) => {
      await refused(t, connect(`redis://127.0.0.1:${port}`), /cannot use this Redis server/)
    })
  ])
})

await t.test('redis: a server with a password and with users', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 's3cret' } })
  const admin = lookingAt(t, url, { password: 's3cret' })
  const as = (credentials: string): string => url.replace('//', `//${credentials}@`)
  const addUser = async (...rules: string[]): Promise<string> => {
    const name = uniqueName()
    await admin.call('ACL', 'SETUSER', name, 'on', '>s3cret', ...rules)
    return name
  }

  await sideBySide(t, Object.fromEntries(Object.entries(DRIVERS).flatMap(([driver, connect]) => Object.entries({
    [`redis: ${driver}: a wrong password, and none, are clear errors at boot`]: async (t: Test) => {
      await Promise.all([
        refused(t, connect(as(':s3cret-not')), /password is wrong/),
        refused(t, connect(url), /asks for a password/)
      ])
    },

    [`redis: ${driver}: a user who may not run the script, or what is in it, is refused at boot`]: async (t: Test) => {
      await Promise.all([
        ['~*', '+@connection', '+info', '+@read'],
        ['~*', '+@all', '-zadd'],
        ['~*', '+@all', '-zrem'],
        ['~*', '+@all', '-del'],
        ['~other:*', '+@all']
      ].map(async (rules) => {
        const user = await addUser(...rules)
        await refused(t, connect(as(`${user}:s3cret`)), /may not do/, { list: 'collection' })
      }))
    },

    [`redis: ${driver}: the boot leaves nothing of what it tries out`]: async (t: Test) => {
      const prefix = `${uniqueName()}:`
      await openedAdapter(t, connect(as(':s3cret')), { prefix, list: 'collection' })
      t.strictSame(await admin.keys(`${prefix}*`), [`${prefix}layout`])
    },

    [`redis: ${driver}: a database that the server does not have, or the user may not select, is refused at boot, and nothing goes into another one`]: async (t: Test) => {
      const prefix = `${uniqueName()}:`
      const pinned = await addUser('~*', '+@all', '-select')
      await Promise.all([
        refused(t, connect(`${as(':s3cret')}/99`), /out of range/, { prefix }),
        refused(t, connect(`${as(`${pinned}:s3cret`)}/3`), /may not do/, { prefix })
      ])
      t.strictSame(await admin.keys(`${prefix}*`), [])
    },

    [`redis: ${driver}: a database that is gone after a reconnect is an outage, and not another database`]: async (t: Test) => {
      const user = await addUser('~*', '+@all')
      const proxy = await startProxy(t, `${as(`${user}:s3cret`)}/3`)
      const adapter = await openedAdapter(t, connect(proxy.url))
      t.match(await adapter.write('k', 1, ANY), { applied: true })
      await admin.call('ACL', 'SETUSER', user, '-select')
      const { connections } = proxy
      await admin.call('CLIENT', 'KILL', 'USER', user)
      const outcomes = new Set<unknown>()
      await until('the driver has tried to connect four times', async () => {
        outcomes.add(await adapter.read('k').then(
          (found) => found?.value,
          (error: Error & { code?: string }) => error.code
        ))
        return proxy.connections >= connections + 4
      })
      // The first read may still have been answered on the old connection.
      outcomes.delete(1)
      t.strictSame([...outcomes], [UNAVAILABLE])
      await admin.call('ACL', 'SETUSER', user, '+select')
      await untilAnswers(adapter)
      t.match(await adapter.read('k'), { value: 1 })
    }
  }))))

  // From here on the cases change the whole server.
  for (const [driver, connect] of Object.entries(DRIVERS)) {
    await t.test(`redis: ${driver}: an eviction policy is warned of, and so is one that cannot be seen`, async (t) => {
      const managed = await addUser('~*', '+@all', '-config')
      const open = async (credentials: string): Promise<void> => {
        const adapter = redisAdapter({ client: connect(as(credentials)) })
        await adapter.open!()
        await adapter.close!()
      }
      t.strictSame(await warningsOf(async () => await open(':s3cret')), [])
      t.strictSame(await warningsOf(async () => await open(`${managed}:s3cret`)), [
        'FST_IF_MATCH_REDIS_EVICTION_UNCHECKED'
      ])
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
      t.strictSame(await warningsOf(async () => await open(':s3cret')), ['FST_IF_MATCH_REDIS_EVICTION'])
      await admin.config('SET', 'maxmemory-policy', 'noeviction')
    })

    await t.test(`redis: ${driver}: a replica is refused at boot`, async (t) => {
      await admin.replicaof('127.0.0.1', '1')
      await refused(t, connect(as(':s3cret')), /is a replica/)
      await admin.replicaof('NO', 'ONE')
    })
  }

  await t.test('redis: a value larger than the server takes is refused before anything is sent, and its neighbours are written', async (t) => {
    await admin.config('SET', 'proto-max-bulk-len', '1mb')
    const adapter = await openedAdapter(t, DRIVERS.ioredis(as(':s3cret')))
    const [large, neighbour] = await Promise.allSettled([
      adapter.write('large', '\u20ac'.repeat(400_000), ANY),
      adapter.write('neighbour', 1, ANY)
    ])
    t.match(large, { reason: { code: 'FST_IF_MATCH_INVALID_VALUE', message: /1048576 bytes/ } })
    t.match(neighbour, { value: { applied: true } })
    const fits = 'x'.repeat(1024 * 1024 - 2)
    t.match(await adapter.write('large', fits, ANY), { applied: true })
    t.equal((await adapter.read('large'))?.value, fits)
  })
})

await t.test('redis: ioredis: the reason is what a member of the Cluster says, and not that all of them failed', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 's3cret' } })
  const cluster = (password?: string): Cluster =>
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
