import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { redisAdapter } from '../../../lib/storage/redis/index.js'
import { ANY, EXISTS } from '../../support/expectations.js'
import {
  DRIVER_NAMES,
  DRIVERS,
  isWrite,
  LONG_TIMEOUT,
  soon,
  untilAnswers
} from '../../support/redis/clients.js'
import { countingRuns } from '../../support/redis/counting-runs.js'
import { behindProxy } from '../../support/redis/driver-cases.js'
import { sideBySide } from '../../support/redis/side-by-side.js'
import { skipWithout } from '../../support/services/programs.js'
import { startProxy } from '../../support/services/proxy.js'
import { startRedis } from '../../support/services/redis.js'

const UNAVAILABLE = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
// A command that a driver kept, or sends again later, is run long before this is over.
const LATER = 3000

await t.test('redis: after an outage', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t)

  for (const driver of DRIVER_NAMES) {
    await sideBySide(t, {
      [`${driver}: with the engine away a write fails at once, and nothing of it appears 3 s after the engine is back`]: async (t) => {
        const { proxy, adapter } = await behindProxy(t, url, driver, { timeout: LONG_TIMEOUT })
        await proxy.refuse()
        await t.rejects(adapter.read('k'))
        for (let round = 0; round < 5; round++) {
          await t.rejects(soon(adapter.write('k', 'ghost', ANY)), UNAVAILABLE)
        }
        await t.rejects(soon(adapter.remove('k', EXISTS)), { ...UNAVAILABLE, cause: { message: /no connection/ } })
        await proxy.accept()
        await untilAnswers(adapter)
        await delay(LATER)
        t.equal(await adapter.read('k'), undefined)
        t.match(await adapter.write('k', 1, ANY), { applied: true })
      },

      [`${driver}: a write whose answer was cut off is not sent again later`]: async (t) => {
        const { proxy, prefix, adapter, other } = await behindProxy(t, url, driver, { timeout: LONG_TIMEOUT })
        const runs = await countingRuns(t, url, 'evalsha', prefix)
        proxy.cutAnswer({ when: isWrite })
        t.match(await soon(adapter.write('k', 'mine', ANY)), { applied: true, created: true })
        const theirs = await other.write('k', 'theirs', ANY) as { version: string }
        await delay(LATER)
        t.match(await other.read('k'), { value: 'theirs', version: theirs.version })
        t.equal(await runs(), 2)
      },

      [`${driver}: closed during an outage it tries no more, leaves the client alone, and can be opened again`]: async (t) => {
        const proxy = await startProxy(t, url)
        const adapter = redisAdapter({ client: DRIVERS[driver](proxy.url), timeout: 1000 })
        await adapter.open!()
        await proxy.refuse()
        await t.rejects(adapter.write('k', 1, ANY))
        await adapter.close!()
        await proxy.accept()
        const { connections } = proxy
        await delay(LATER)
        t.equal(proxy.connections, connections)
        await adapter.open!()
        t.ok(proxy.connections > connections)
        await adapter.close!()
      },

      [`${driver}: an idle connection stays`]: async (t) => {
        const timeout = 1000
        const { proxy, adapter } = await behindProxy(t, url, driver, { timeout })
        const { connections } = proxy
        await delay(2.5 * timeout)
        t.match(await adapter.write('k', 1, ANY), { applied: true })
        t.equal(proxy.connections, connections)
      }
    })
  }
})
