import t from 'tap'
import { assertOutlivesEngine } from '../../support/example/outages.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'

await t.test('Redis ends, and is restarted: 503 with Retry-After meanwhile and at once, then all is as before', { skip: skipWithoutOwn('redis') }, async (t) => {
  const service = await startRedis(t, { own: true })
  await assertOutlivesEngine(t, service, service.url)
})
