import assert from 'node:assert/strict'
import { assertApplied, assertSame } from '../assert.js'
import type { Cases } from '../harness.js'
import { ANY, create, EXISTS, readPresent } from '../steps.js'

export const readCases: Cases = {
  'read: a key that was never written is absent': async ({ adapter }) => {
    assert.equal(await adapter.read('never'), undefined)
  },

  'read: gives the value and the version of the last applied write': async ({ adapter }) => {
    for (const round of [1, 2, 3]) {
      const { version } = assertApplied(await adapter.write('k', { round }, ANY))
      const stored = await readPresent(adapter, 'k')
      assert.deepEqual({ value: stored.value, version: stored.version }, { value: { round }, version })
    }
  },

  'read: changing one key leaves the others unchanged': async ({ adapter }) => {
    await create(adapter, 'a', 1)
    await create(adapter, 'b', 2)
    const before = await readPresent(adapter, 'a')
    assertApplied(await adapter.write('b', 3, EXISTS))
    assertApplied(await adapter.remove('b', EXISTS))
    assertSame(await adapter.read('a'), before)
  }
}
