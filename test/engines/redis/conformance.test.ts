import t from 'tap'
import { DRIVERS } from '../../support/redis/clients.js'
import { sideBySide } from '../../support/redis/side-by-side.js'
import { conformance } from '../../support/redis/subjects.js'
import { skipWithout } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'

await t.test('redis: conformance', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)
  // What a driver does has nothing to do with how a collection is kept. The other two pairs are among the attacks.
  await sideBySide(t, {
    'redis: conformance, ioredis, list false': async (t) => { await conformance(t, url, DRIVERS.ioredis, false) },
    'redis: conformance, node-redis, list collection': async (t) => {
      await conformance(t, url, DRIVERS['node-redis'], 'collection')
    }
  })
})
