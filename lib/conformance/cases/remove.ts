import assert from 'node:assert/strict'
import { assertApplied, assertRemovalRefused, assertSame } from '../assert.js'
import type { Cases } from '../harness.js'
import { create, EXISTS, readPresent, versionIn } from '../steps.js'

export const removeCases: Cases = {
  'remove: the current version removes the entity': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    assertApplied(await adapter.remove('k', versionIn(version)))
    assert.equal(await adapter.read('k'), undefined)
  },

  'remove: "exists" removes the entity whatever its version': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    assertApplied(await adapter.remove('k', EXISTS))
    assert.equal(await adapter.read('k'), undefined)
  },

  'remove: a list with the current version removes the entity': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    assertApplied(await adapter.remove('k', versionIn('a', version, 'b')))
    assert.equal(await adapter.read('k'), undefined)
  },

  'remove: a version that was replaced or never issued is refused, and the entity stays': async ({ adapter }) => {
    const stale = await create(adapter, 'k', 1)
    assertApplied(await adapter.write('k', 2, EXISTS))
    const before = await readPresent(adapter, 'k')
    for (const version of [stale, ...['other', '0', ''].filter((version) => version !== before.version)]) {
      assertSame(await assertRemovalRefused(adapter, 'k', versionIn(version)), before)
    }
    assertSame(await adapter.read('k'), before)
  },

  'remove: an empty list of versions is refused, and the entity stays': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    const before = await readPresent(adapter, 'k')
    assertSame(await assertRemovalRefused(adapter, 'k', versionIn()), before)
    assertSame(await adapter.read('k'), before)
  },

  'remove: an absent entity is refused without a current one, whatever is expected': async ({ adapter }) => {
    for (const expectation of [EXISTS, versionIn('other'), versionIn('0'), versionIn()]) {
      assert.equal(await assertRemovalRefused(adapter, 'k', expectation), undefined)
    }
  },

  'remove: the second of two removals is refused': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    assertApplied(await adapter.remove('k', versionIn(version)))
    assert.equal(await assertRemovalRefused(adapter, 'k', versionIn(version)), undefined)
    assert.equal(await assertRemovalRefused(adapter, 'k', EXISTS), undefined)
  },

  'remove: entities whose keys begin with the removed key stay': async ({ adapter }) => {
    for (const key of ['k', 'k/1', 'k/1/2']) await create(adapter, key, key)
    assertApplied(await adapter.remove('k', EXISTS))
    for (const key of ['k/1', 'k/1/2']) assert.equal((await readPresent(adapter, key)).value, key)
  }
}
