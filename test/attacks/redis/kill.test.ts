import t from 'tap'
import { ABSENT, ANY, versionIn } from '../../support/expectations.js'
import { DRIVERS, lookingAt, openedAdapter, untilAnswers } from '../../support/redis/clients.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'
import { skipWithoutTrace, syncsOf } from '../../support/strace.js'
import { until } from '../../support/until.js'

const DURABLE = { appendonly: 'yes', appendfsync: 'always' }
const KEYS = 4
const WRITERS = 16

/** What became of a write. */
interface Attempt {
  key: string
  value: string
  /** The version that it was to replace; undefined: it was to create the entity. */
  expected: string | undefined
  outcome: 'applied' | 'refused' | 'unavailable' | 'unknown'
  version?: string
}

for (const [driver, connect] of Object.entries(DRIVERS)) {
  await t.test(`redis: ${driver}: the server is killed under load, twice; nothing acknowledged is lost, and nothing refused or unavailable is there`, { skip: skipWithoutOwn('redis') }, async (t) => {
    const service = await startRedis(t, { settings: DURABLE })
    const server = lookingAt(t, service.url)
    for (const [name, value] of Object.entries(DURABLE)) {
      t.strictSame(await server.config('GET', name), [name, value])
    }
    server.disconnect()
    const adapter = await openedAdapter(t, connect(service.url), { timeout: 1000 })
    for (let kill = 0; kill < 2; kill++) {
      const attempts: Attempt[] = []
      const counted = (outcome: Attempt['outcome']): number =>
        attempts.filter((attempt) => attempt.outcome === outcome).length
      const load = new AbortController()
      const writers = Array.from({ length: WRITERS }, async (_, writer) => {
        const key = `${kill}/${writer % KEYS}`
        let current: string | undefined
        for (let round = 0; round < 2000 && !load.signal.aborted; round++) {
          const attempt: Attempt = { key, value: `${writer}/${round}`, expected: current, outcome: 'unknown' }
          attempts.push(attempt)
          try {
            const result = await adapter.write(key, attempt.value, current === undefined ? ABSENT : versionIn(current))
            attempt.outcome = result.applied ? 'applied' : 'refused'
            if (result.applied) attempt.version = result.version
            current = result.applied ? result.version : result.current?.version
          } catch (error) {
            const { code } = error as { code?: string }
            if (code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE') attempt.outcome = 'unavailable'
            return
          }
        }
      })
      await until('300 writes are acknowledged', () => counted('applied') >= 300)
      await service.kill()
      load.abort()
      await Promise.all(writers)
      await service.restart()
      await untilAnswers(adapter)
      t.comment(
        `${counted('applied')} applied, ${counted('refused')} refused, ` +
        `${counted('unknown')} unknown, ${counted('unavailable')} unavailable`
      )
      for (let index = 0; index < KEYS; index++) {
        const key = `${kill}/${index}`
        const ours = attempts.filter((attempt) => attempt.key === key)
        // Each version was replaced once, so the acknowledged writes are one chain.
        const replaced = ours.filter(({ outcome }) => outcome === 'applied').map(({ expected }) => expected ?? '')
        t.equal(new Set(replaced).size, replaced.length, 'no version was replaced twice')
        const last = ours.find(({ outcome, version }) => outcome === 'applied' && !replaced.includes(version!))
        const stored = await adapter.read(key)
        const unknown = ours.find(({ outcome, value }) => outcome === 'unknown' && value === stored?.value)
        t.ok(
          stored?.version === last?.version || (unknown !== undefined && stored?.replaced === last?.version),
          'the last acknowledged write is there, or one of unknown outcome on top of it'
        )
      }
    }
  })
}

await t.test('redis: with appendfsync always every answer waits for the disk', { skip: skipWithoutOwn('redis') || skipWithoutTrace() }, async (t) => {
  const service = await startRedis(t, { settings: DURABLE })
  const adapter = await openedAdapter(t, DRIVERS.ioredis(service.url))
  const syncs = await syncsOf(t, service.pid!)
  for (let round = 0; round < 20; round++) {
    const before = syncs.count()
    await adapter.write('k', round, ANY)
    t.ok(syncs.count() > before, `write ${round}`)
  }
  await syncs.stop()
})
