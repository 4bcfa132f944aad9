import t from 'tap'
import { skipWithout } from '../services/programs.js'
import { startRedis } from '../services/redis.js'
import { conformance, DRIVERS } from './redis-clients.js'

await t.test('redis: one server', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)

  for (const [driver, connect] of Object.entries(DRIVERS)) {
    for (const list of [false, 'collection'] as const) {
      await t.test(`redis: conformance, ${driver}, list ${list}`, async (t) => { await conformance(t, url, connect, list) })
    }
  }
})
