import { Cluster, Redis } from 'ioredis'
import t from 'tap'
import { redisAdapter, type RedisClient } from '../../../lib/storage/redis/index.js'
import { driverCases } from '../../support/redis/driver-cases.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'

await t.test('redis: ioredis: a database that is not there ends the connection, and what a member of a Cluster said is the reason', { skip: skipWithoutOwn('redis') }, async (t) => {
  const { url } = await startRedis(t, { settings: { requirepass: 's3cret' } })
  const { hostname: host, port } = new URL(url)
  const address = { host, port: Number(port) }
  const refused = async (client: RedisClient, message: RegExp): Promise<void> => {
    await t.rejects(redisAdapter({ client }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message })
  }
  await refused(new Redis({ ...address, password: 's3cret', db: 99, lazyConnect: true }), /out of range/)
  const redisOptions = { password: 's3cret-not' }
  await refused(new Cluster([address], { lazyConnect: true, redisOptions }), /password is wrong/)
})

await driverCases(t, 'ioredis')
