import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { ABSENT, ANY } from './expectations.js'
import type { Service } from './services/service.js'
import { until } from './until.js'

/** A server to be killed, an open adapter on it, and how what reached its disk is looked up. */
export interface Killed {
  service: Service
  adapter: StorageAdapter
  /** Each value that was ever stored, once for each write. */
  valuesSoFar: () => Promise<unknown[]>
  kills: number
  writers: number
  /** How many writes are acknowledged before each kill. */
  acknowledged: number
}

/**
 * Kills a server under load, again and again, and restarts it: each acknowledged write is stored once, and none that
 * was refused or unavailable is. The keys are `kill/writer/index`, and `shared`.
 */
export async function assertSurvivesKills (t: Test, options: Killed): Promise<void> {
  const { service, adapter, valuesSoFar, kills, writers, acknowledged } = options
  const written = {
    acknowledged: [] as string[],
    refused: [] as string[],
    UNAVAILABLE: [] as string[],
    UNKNOWN: [] as string[]
  }
  for (let kill = 0; kill < kills; kill++) {
    const load = { isOver: false }
    let count = 0
    let reached = () => {}
    const enough = new Promise<void>((resolve) => { reached = resolve })
    const note = async (name: string, key: string, expectation: Parameters<typeof adapter.write>[2]) => {
      try {
        const { applied } = await adapter.write(key, name, expectation)
        written[applied ? 'acknowledged' : 'refused'].push(name)
        if (applied && ++count === acknowledged) reached()
      } catch (error) {
        load.isOver = true
        const { code } = error as { code: string }
        if (code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE') written.UNAVAILABLE.push(name)
        else if (code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') written.UNKNOWN.push(name)
        else throw error
      }
    }
    const running = Array.from({ length: writers }, async (_, writer) => {
      for (let index = 0; index < 100_000 && !load.isOver; index++) {
        const key = `${kill}/${writer}/${index}`
        await note(`${key}/create`, key, ABSENT)
        await note(`${key}/again`, key, ABSENT)
        await note(`${key}/shared`, 'shared', ANY)
      }
    })
    await Promise.race([enough, Promise.all(running)])
    await service.kill()
    await Promise.all(running)
    await service.restart()
    await until('the adapter answers again', async () => await adapter.read('shared').then(() => true, () => false))
    const stored = await valuesSoFar() as string[]
    const there = new Set(stored)
    t.equal(there.size, stored.length, 'none is there twice')
    t.strictSame(written.acknowledged.filter((name) => !there.has(name)), [], 'none that was acknowledged is lost')
    t.strictSame(
      [...written.refused, ...written.UNAVAILABLE].filter((name) => there.has(name)),
      [],
      'none that was refused or unavailable is there'
    )
  }
  t.ok(written.acknowledged.length >= kills * acknowledged, 'each kill met a load')
  t.comment(Object.entries(written).map(([what, names]) => `${names.length} ${what}`).join(', '))
}
