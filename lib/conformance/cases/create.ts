import assert from 'node:assert/strict'
import { ABSENT, ANY, applied, create, EXISTS, present, refused, same, versionIn } from '../assert.js'
import type { Cases } from '../harness.js'

/** Writes to a key under which nothing is stored. */
export const createCases: Cases = {
  'create: "absent" is applied to an absent entity, and says created (R55)': async ({ adapter }) => {
    const result = applied(await adapter.write('k', { a: 1 }, ABSENT))
    assert.equal(result.created, true)
    assert.deepEqual((await present(adapter, 'k')).value, { a: 1 })
  },

  'create: "absent" is refused when there is an entity, which is the current one (R35)': async ({ adapter }) => {
    await create(adapter, 'k', { a: 1 })
    const before = await present(adapter, 'k')
    same(refused(await adapter.write('k', { a: 2 }, ABSENT), ABSENT), before)
    same(await adapter.read('k'), before)
  },

  'create: "absent" is applied again after a removal': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    applied(await adapter.remove('k', EXISTS))
    assert.equal(applied(await adapter.write('k', 2, ABSENT)).created, true)
    assert.equal((await present(adapter, 'k')).value, 2)
  },

  'create: "any" creates an absent entity, and says so': async ({ adapter }) => {
    assert.equal(applied(await adapter.write('k', { a: 1 }, ANY)).created, true)
    assert.deepEqual((await present(adapter, 'k')).value, { a: 1 })
  },

  'create: "exists" never creates (R7)': async ({ adapter }) => {
    assert.equal(refused(await adapter.write('k', 1, EXISTS), EXISTS), undefined)
    assert.equal(await adapter.read('k'), undefined)
  },

  'create: a version never creates, whatever it looks like (E6)': async ({ adapter }) => {
    for (const version of ['other', '0', '1', '-1', '', 'null', 'undefined', '*', '002', '+3', '9223372036854775808']) {
      const expectation = versionIn(version)
      assert.equal(refused(await adapter.write('k', 1, expectation), expectation), undefined)
      assert.equal(await adapter.read('k'), undefined)
    }
  },

  'create: no list of versions creates, least of all an empty one': async ({ adapter }) => {
    for (const expectation of [versionIn(), versionIn('a', 'b', '0')]) {
      assert.equal(refused(await adapter.write('k', 1, expectation), expectation), undefined)
      assert.equal(await adapter.read('k'), undefined)
    }
  },

  'create: the version of a removed entity does not bring it back (R55)': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    applied(await adapter.remove('k', EXISTS))
    assert.equal(refused(await adapter.write('k', 2, versionIn(version)), versionIn(version)), undefined)
    assert.equal(await adapter.read('k'), undefined)
  }
}
