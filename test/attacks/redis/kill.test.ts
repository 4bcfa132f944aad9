import { Redis } from 'ioredis'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Expectation } from '../../../lib/storage/adapter.js'
import { programOf, skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'
import { answering, DRIVERS, openedAdapter } from '../../support/redis/clients.js'

const DURABLE = { appendonly: 'yes', appendfsync: 'always' }
const KEYS = 4
const WRITERS = 16

/** What became of a write. */
interface Attempt {
  key: string
  value: string
  expected: string | undefined
  outcome: 'applied' | 'refused' | 'unavailable' | 'unknown'
  version?: string
}

for (const [driver, connect] of Object.entries(DRIVERS)) {
  await t.test(`redis: ${driver}: the server is killed under load, twice; nothing acknowledged is lost, and nothing refused or unavailable is there`, { skip: skipWithoutOwn('redis') }, async (t) => {
    const service = await startRedis(t, { settings: DURABLE })
    const server = new Redis(service.url, { lazyConnect: true })
    t.strictSame(
      [
        ...((await server.config('GET', 'appendonly')) as string[]),
        ...((await server.config('GET', 'appendfsync')) as string[])
      ],
      ['appendonly', 'yes', 'appendfsync', 'always']
    )
    server.disconnect()
    const adapter = await openedAdapter(t, connect(service.url), { timeout: 1000 })
    for (let kill = 0; kill < 2; kill++) {
      const attempts: Attempt[] = []
      const load = new AbortController()
      const writers = Array.from({ length: WRITERS }, async (_, writer) => {
        const key = `${kill}/${writer % KEYS}`
        let seen: string | undefined
        for (let round = 0; round < 2000 && !load.signal.aborted; round++) {
          const value = `${writer}/${round}`
          const expectation: Expectation =
            seen === undefined ? { kind: 'absent' } : { kind: 'version', versions: [seen] }
          const attempt: Attempt = { key, value, expected: seen, outcome: 'unknown' }
          attempts.push(attempt)
          try {
            const result = await adapter.write(key, value, expectation)
            attempt.outcome = result.applied ? 'applied' : 'refused'
            seen = result.applied ? attempt.version = result.version : result.current?.version
          } catch (error) {
            if ((error as { code?: string }).code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE') { attempt.outcome = 'unavailable' }
            return
          }
        }
      })
      while (attempts.filter(({ outcome }) => outcome === 'applied').length < 300) { await new Promise((resolve) => setTimeout(resolve, 5)) }
      await service.kill()
      load.abort()
      await Promise.all(writers)
      await service.restart()
      await answering(adapter)
      const counted = (outcome: Attempt['outcome']) => attempts.filter((attempt) => attempt.outcome === outcome)
      t.comment(
        `${counted('applied').length} applied, ${counted('refused').length} refused, ${counted('unknown').length} unknown, ${counted('unavailable').length} unavailable`
      )
      for (let at = 0; at < KEYS; at++) {
        const key = `${kill}/${at}`
        const ours = attempts.filter((attempt) => attempt.key === key)
        // Each version was replaced once: what was acknowledged is one chain.
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

await t.test('redis: with appendfsync always every answer waits for the disk', { skip: skipWithoutOwn('redis') || skipWithout('strace') }, async (t) => {
  const service = await startRedis(t, { settings: DURABLE })
  const adapter = await openedAdapter(t, DRIVERS.ioredis!(service.url))
  const file = join(tmpdir(), `if-match-${uniqueName()}.strace`)
  t.teardown(() => rmSync(file, { force: true }))
  const strace = spawn(
    programOf('strace'),
    ['-f', '-p', String(service.pid), '-e', 'trace=fdatasync,fsync', '-o', file],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  )
  const ended = once(strace, 'close')
  await once(strace.stderr, 'data')
  const count = () => readFileSync(file, 'utf8').match(/f(data)?sync\(\d+\) += 0/g)?.length ?? 0
  for (let round = 0; round < 20; round++) {
    const before = count()
    await adapter.write('k', round, { kind: 'any' })
    t.ok(count() > before, `write ${round}`)
  }
  strace.kill('SIGINT')
  await ended
})
