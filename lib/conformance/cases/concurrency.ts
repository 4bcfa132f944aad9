import assert from 'node:assert/strict'
import type { StorageAdapter, Stored } from '../../storage/adapter.js'
import { assertApplied, assertRefused, assertRejects, assertWriteRefused } from '../assert.js'
import { adaptersInTurn, together, type AdapterCount } from '../callers.js'
import type { Cases } from '../harness.js'
import { moment, turns } from '../moments.js'
import { ANY, create, readPresent, versionIn } from '../steps.js'

const COUNTERS = 6
const STEPS = 4
const READERS = 3
const NUMBERS = 32

/** Work that goes on side by side, and must add up. */
export function concurrencyCases (count: AdapterCount): Cases {
  return {
    [`concurrency, ${count}: a counter raised by compare-and-swap loops loses no step`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await create(harness.adapter, 'counter', 0)
      await together(COUNTERS, (caller) => raise(adapterOf(caller)))
      assert.equal((await readPresent(harness.adapter, 'counter')).value, COUNTERS * STEPS)
    },

    [`concurrency, ${count}: a read during writes gives the value and the version of one write`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const values = new Map([[await create(harness.adapter, 'k', 'base'), 'base']])
      const seen: Stored[] = []
      await together(8, async (caller) => {
        const adapter = adapterOf(caller)
        for (let round = 0; round < 8; round++) {
          const value = `${caller}/${round}`
          if (caller < 4) values.set(assertApplied(await adapter.write('k', value, ANY)).version, value)
          else seen.push(await readPresent(adapter, 'k'))
        }
      })
      for (const { value, version } of seen) assert.equal(value, values.get(version))
    },

    // A tag that is newer than its content lets the next writer overwrite what nobody has seen.
    [`concurrency, ${count}: the version of a read is never newer than its value`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const numberOf = new Map([[await create(harness.adapter, 'k', 0), 0]])
      const seen: Stored[] = []
      const isWritten = moment()
      await together(1 + READERS, async (caller) => {
        if (caller > 0) {
          while (!isWritten.isReached) {
            await turns(1)
            seen.push(await readPresent(adapterOf(caller), 'k'))
          }
          return
        }
        try {
          for (let number = 1; number <= NUMBERS; number++) {
            numberOf.set(assertApplied(await harness.adapter.write('k', number, ANY)).version, number)
          }
        } finally {
          isWritten.reach()
        }
      })
      for (const { value, version } of seen) {
        const number = numberOf.get(version)
        assert.ok(number !== undefined, `no write issued ${version}, which was read`)
        assert.ok(number <= Number(value), `a read gives the version of write ${number} with the value of ${value}`)
      }
    },

    [`concurrency, ${count}: writers of different keys are all applied`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const keys = Array.from({ length: 32 }, (_, index) => `k${index}`)
      const versions = await Promise.all(keys.map((key, index) => create(adapterOf(index), key, key)))
      await Promise.all(keys.map(async (key, index) =>
        assertApplied(await adapterOf(index).write(key, index, versionIn(versions[index]!)))))
      for (const [index, key] of keys.entries()) assert.equal((await readPresent(harness.adapter, key)).value, index)
    },

    [`concurrency, ${count}: writers that take the same keys in opposite orders are all applied`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const keys = Array.from({ length: 8 }, (_, index) => `k${index}`)
      const orders = [keys, keys.toReversed(), keys, keys.toReversed()]
      await Promise.all(orders.flatMap((order, index) =>
        order.map(async (key) => assertApplied(await adapterOf(index).write(key, index, ANY)))))
      for (const key of keys) assert.ok(Number((await readPresent(harness.adapter, key)).value) < orders.length)
    },

    [`concurrency, ${count}: bad values, bad keys and refusals do not affect other writes`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await create(harness.adapter, 'taken', 'base')
      await Promise.all([
        create(adapterOf(0), 'a', 'plain'),
        create(adapterOf(1), 'b', 'U+0000 \0 and a lone \ud800'),
        assertRejects(() => adapterOf(0).write('bad', NaN, ANY), 'FST_IF_MATCH_NOT_JSON'),
        assertRejects(() => adapterOf(0).write('endless', Infinity, ANY), 'FST_IF_MATCH_INVALID_VALUE'),
        assertRejects(() => adapterOf(1).write('bad\0', 1, ANY), 'FST_IF_MATCH_INVALID_KEY'),
        assertWriteRefused(adapterOf(0), 'taken', 1, versionIn('other')),
        assertWriteRefused(adapterOf(1), 'nothing', 1, versionIn('other')),
        create(adapterOf(0), 'c', 'plain'),
        create(adapterOf(1), 'd', 'plain')
      ])
      assert.equal((await readPresent(harness.adapter, 'b')).value, 'U+0000 \0 and a lone \ud800')
      for (const key of ['a', 'c', 'd']) assert.equal((await readPresent(harness.adapter, key)).value, 'plain')
      for (const key of ['bad', 'endless', 'nothing']) assert.equal(await harness.adapter.read(key), undefined)
    }
  }
}

async function raise (adapter: StorageAdapter): Promise<void> {
  let { value, version } = await readPresent(adapter, 'counter')
  let raised = 0
  // Each refusal means that another caller raised the counter, so no caller needs more attempts than there are steps.
  for (let attempt = 0; attempt < COUNTERS * STEPS; attempt++) {
    const expectation = versionIn(version)
    const next = Number(value) + 1
    const result = await adapter.write('counter', next, expectation)
    if (result.applied && ++raised === STEPS) return
    const stored = result.applied ? { value: next, version: result.version } : assertRefused(result, expectation)
    assert.ok(stored, 'the counter is gone')
    value = stored.value
    version = stored.version
  }
  assert.fail('a writer was refused more often than others were applied')
}
