import assert from 'node:assert/strict'
import { applied, create, EXISTS, present, refused, same, versionIn } from '../assert.js'
import type { Cases } from '../harness.js'

export const removeCases: Cases = {
  'remove: the current version removes the entity (R6)': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    applied(await adapter.remove('k', versionIn(version)))
    assert.equal(await adapter.read('k'), undefined)
  },

  'remove: "exists" removes the entity whatever its version (R34)': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    applied(await adapter.remove('k', EXISTS))
    assert.equal(await adapter.read('k'), undefined)
  },

  'remove: a list that has the current version removes the entity (R34)': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    applied(await adapter.remove('k', versionIn('a', version, 'b')))
    assert.equal(await adapter.read('k'), undefined)
  },

  'remove: a version that was replaced or never issued is refused, and the entity stays (R5)': async ({ adapter }) => {
    const stale = await create(adapter, 'k', 1)
    applied(await adapter.write('k', 2, EXISTS))
    const before = await present(adapter, 'k')
    for (const version of [stale, 'other', '0', '']) {
      same(refused(await adapter.remove('k', versionIn(version)), versionIn(version)), before)
    }
    same(await adapter.read('k'), before)
  },

  'remove: an empty list of versions never matches': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    const before = await present(adapter, 'k')
    same(refused(await adapter.remove('k', versionIn()), versionIn()), before)
    same(await adapter.read('k'), before)
  },

  'remove: an absent entity is refused without a current one, whatever is expected (R55)': async ({ adapter }) => {
    for (const expectation of [EXISTS, versionIn('other'), versionIn('0'), versionIn()]) {
      assert.equal(refused(await adapter.remove('k', expectation), expectation), undefined)
    }
  },

  'remove: the second of two removals is refused': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    applied(await adapter.remove('k', versionIn(version)))
    assert.equal(refused(await adapter.remove('k', versionIn(version)), versionIn(version)), undefined)
    assert.equal(refused(await adapter.remove('k', EXISTS), EXISTS), undefined)
  },

  'remove: entities whose keys begin alike stay': async ({ adapter }) => {
    for (const key of ['k', 'k/1', 'k/1/2']) await create(adapter, key, key)
    applied(await adapter.remove('k', EXISTS))
    for (const key of ['k/1', 'k/1/2']) assert.equal((await present(adapter, key)).value, key)
  }
}
