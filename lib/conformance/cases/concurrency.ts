import assert from 'node:assert/strict'
import type { StorageAdapter, Stored } from '../../storage/adapter.js'
import { ANY, applied, create, present, refused, rejectsWith, versionIn } from '../assert.js'
import type { AdaptersOf } from './contention.js'
import type { Cases } from '../harness.js'

const COUNTERS = 6
const STEPS = 4

/** Work that goes on side by side, and must add up. */
export function concurrencyCases (where: string, adaptersOf: AdaptersOf): Cases {
  return {
    [`concurrency, ${where}: a counter that is raised by compare-and-swap loops ends exact`]: async (stage) => {
      const adapters = await adaptersOf(stage)
      await create(stage.adapter, 'counter', 0)
      await Promise.all(Array.from({ length: COUNTERS }, (_, at) => raise(adapters[at % adapters.length]!)))
      assert.equal((await present(stage.adapter, 'counter')).value, COUNTERS * STEPS)
    },

    [`concurrency, ${where}: readers beside writers see value and version of one write (R3, R60)`]: async (stage) => {
      const adapters = await adaptersOf(stage)
      const values = new Map([[await create(stage.adapter, 'k', 'base'), 'base']])
      const seen: Stored[] = []
      await Promise.all(
        Array.from({ length: 8 }, async (_, at) => {
          const adapter = adapters[at % adapters.length]!
          for (let round = 0; round < 8; round++) {
            if (at < 4) values.set(applied(await adapter.write('k', `${at}/${round}`, ANY)).version, `${at}/${round}`)
            else seen.push(await present(adapter, 'k'))
          }
        })
      )
      for (const { value, version } of seen) assert.equal(value, values.get(version))
    },

    [`concurrency, ${where}: writers of different keys do not hinder one another`]: async (stage) => {
      const adapters = await adaptersOf(stage)
      const keys = Array.from({ length: 32 }, (_, at) => `k${at}`)
      const versions = await Promise.all(keys.map((key, at) => create(adapters[at % adapters.length]!, key, key)))
      await Promise.all(
        keys.map(async (key, at) =>
          applied(await adapters[at % adapters.length]!.write(key, at, versionIn(versions[at]!)))
        )
      )
      for (const [at, key] of keys.entries()) assert.equal((await present(stage.adapter, key)).value, at)
    },

    [`concurrency, ${where}: writers that take the same keys in opposite orders all get through (E24)`]: async (
      stage
    ) => {
      const adapters = await adaptersOf(stage)
      const keys = Array.from({ length: 8 }, (_, at) => `k${at}`)
      const orders = [keys, keys.toReversed(), keys, keys.toReversed()]
      await Promise.all(
        orders.flatMap((order, at) =>
          order.map(async (key) => applied(await adapters[at % adapters.length]!.write(key, at, ANY)))
        )
      )
      for (const key of keys) assert.ok(Number((await present(stage.adapter, key)).value) < orders.length)
    },

    [`concurrency, ${where}: a bad write, a bad key or a refusal fails itself and none of those beside it (E28)`]:
      async (stage) => {
        const adapters = await adaptersOf(stage)
        const at = (position: number) => adapters[position % adapters.length]!
        await create(stage.adapter, 'taken', 'base')
        const stale = versionIn('other')
        await Promise.all([
          create(at(0), 'a', 'plain'),
          create(at(1), 'b', 'U+0000 \0 and a lone \ud800'),
          rejectsWith(() => at(0).write('bad', NaN, ANY), 'FST_IF_MATCH_INVALID_VALUE'),
          rejectsWith(() => at(1).write('bad\0', 1, ANY), 'FST_IF_MATCH_INVALID_KEY'),
          at(0)
            .write('taken', 1, stale)
            .then((result) => refused(result, stale)),
          at(1)
            .write('nothing', 1, stale)
            .then((result) => refused(result, stale)),
          create(at(0), 'c', 'plain'),
          create(at(1), 'd', 'plain')
        ])
        assert.equal((await present(stage.adapter, 'b')).value, 'U+0000 \0 and a lone \ud800')
        for (const key of ['a', 'c', 'd']) assert.equal((await present(stage.adapter, key)).value, 'plain')
        for (const key of ['bad', 'nothing']) assert.equal(await stage.adapter.read(key), undefined)
      }
  }
}

async function raise (adapter: StorageAdapter): Promise<void> {
  let { value, version } = await present(adapter, 'counter')
  let raised = 0
  // Each refusal means that somebody else raised it, so nobody needs more attempts than there are steps in all.
  for (let attempt = 0; attempt < COUNTERS * STEPS; attempt++) {
    const expectation = versionIn(version)
    const result = await adapter.write('counter', Number(value) + 1, expectation)
    if (result.applied && ++raised === STEPS) return
    const next = result.applied ? { value: Number(value) + 1, version: result.version } : refused(result, expectation)
    assert.ok(next, 'the counter is gone')
    value = next.value
    version = next.version
  }
  assert.fail('a writer was refused more often than others were applied')
}
