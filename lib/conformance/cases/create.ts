import assert from 'node:assert/strict'
import { assertApplied, assertSame, assertWriteRefused } from '../assert.js'
import type { Cases } from '../harness.js'
import { ABSENT, ANY, create, EXISTS, readPresent, versionIn } from '../steps.js'

/** Writes to a key under which nothing is stored. */
export const createCases: Cases = {
  'create: "absent" creates an absent entity, and created is true': async ({ adapter }) => {
    assert.equal(assertApplied(await adapter.write('k', { a: 1 }, ABSENT)).created, true)
    assert.deepEqual((await readPresent(adapter, 'k')).value, { a: 1 })
  },

  'create: "absent" is refused if the entity exists, and current is that entity (RFC 9110 13.1.2)': async ({ adapter }) => {
    await create(adapter, 'k', { a: 1 })
    const before = await readPresent(adapter, 'k')
    assertSame(await assertWriteRefused(adapter, 'k', { a: 2 }, ABSENT), before)
    assertSame(await adapter.read('k'), before)
  },

  'create: "absent" creates again after a removal': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    assertApplied(await adapter.remove('k', EXISTS))
    assert.equal(assertApplied(await adapter.write('k', 2, ABSENT)).created, true)
    assert.equal((await readPresent(adapter, 'k')).value, 2)
  },

  'create: "any" creates an absent entity, and created is true': async ({ adapter }) => {
    assert.equal(assertApplied(await adapter.write('k', { a: 1 }, ANY)).created, true)
    assert.deepEqual((await readPresent(adapter, 'k')).value, { a: 1 })
  },

  'create: "exists" never creates (RFC 9110 13.1.1)': async ({ adapter }) => {
    assert.equal(await assertWriteRefused(adapter, 'k', 1, EXISTS), undefined)
    assert.equal(await adapter.read('k'), undefined)
  },

  'create: a version never creates, whatever it looks like': async ({ adapter }) => {
    for (const version of ['other', '0', '1', '-1', '', 'null', 'undefined', '*', '002', '+3', '9223372036854775808']) {
      assert.equal(await assertWriteRefused(adapter, 'k', 1, versionIn(version)), undefined)
      assert.equal(await adapter.read('k'), undefined)
    }
  },

  'create: a list of versions never creates, even if it is empty': async ({ adapter }) => {
    for (const expectation of [versionIn(), versionIn('a', 'b', '0')]) {
      assert.equal(await assertWriteRefused(adapter, 'k', 1, expectation), undefined)
      assert.equal(await adapter.read('k'), undefined)
    }
  },

  'create: the version of a removed entity does not create it again': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    assertApplied(await adapter.remove('k', EXISTS))
    assert.equal(await assertWriteRefused(adapter, 'k', 2, versionIn(version)), undefined)
    assert.equal(await adapter.read('k'), undefined)
  }
}
