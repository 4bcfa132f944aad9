import assert from 'node:assert/strict'
import { ANY, applied, create, EXISTS, present, same } from '../assert.js'
import type { Cases } from '../harness.js'

export const readCases: Cases = {
  'read: a key that was never written is absent': async ({ adapter }) => {
    assert.equal(await adapter.read('never'), undefined)
  },

  'read: gives value and version of the last applied write together (R3)': async ({ adapter }) => {
    for (const round of [1, 2, 3]) {
      const { version } = applied(await adapter.write('k', { round }, ANY))
      const stored = await present(adapter, 'k')
      assert.deepEqual({ value: stored.value, version: stored.version }, { value: { round }, version })
    }
  },

  'read: a change of one key does not show under another': async ({ adapter }) => {
    await create(adapter, 'a', 1)
    await create(adapter, 'b', 2)
    const before = await present(adapter, 'a')
    applied(await adapter.write('b', 3, EXISTS))
    applied(await adapter.remove('b', EXISTS))
    same(await adapter.read('a'), before)
  }
}
