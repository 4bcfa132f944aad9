import assert from 'node:assert/strict'
import { assertApplied } from '../assert.js'
import type { Cases } from '../harness.js'
import { ANY, create, EXISTS, readPresent, versionIn } from '../steps.js'

/** `replaced`, with `digest`: a safe retry recognises its own write by them. */
export const replacedCases: Cases = {
  'replaced: is the version that the write replaced': async ({ adapter }) => {
    let version = await create(adapter, 'k', 0)
    for (const expectationFor of [() => EXISTS, () => ANY, (current: string) => versionIn('other', current)]) {
      const result = assertApplied(await adapter.write('k', 1, expectationFor(version)))
      assert.equal((await readPresent(adapter, 'k')).replaced, version)
      version = result.version
    }
  },

  'replaced: is undefined after a creation': async ({ adapter }) => {
    await create(adapter, 'a', 1)
    assertApplied(await adapter.write('b', 1, ANY))
    for (const key of ['a', 'b']) assert.equal((await readPresent(adapter, key)).replaced, undefined)
  },

  'replaced: is undefined after a removed entity was created again, and so is digest': async ({ adapter }) => {
    await create(adapter, 'k', 1, { digest: 'removed' })
    assertApplied(await adapter.remove('k', EXISTS))
    await create(adapter, 'k', 2)
    const { replaced, digest } = await readPresent(adapter, 'k')
    assert.deepEqual({ replaced, digest }, { replaced: undefined, digest: undefined })
  }
}

export const digestCases: Cases = {
  'digest: is stored by every kind of write': async ({ adapter }) => {
    const version = await create(adapter, 'k', 0, { digest: 'd0' })
    assert.equal((await readPresent(adapter, 'k')).digest, 'd0')
    for (const [index, expectation] of [versionIn(version), EXISTS, ANY].entries()) {
      const digest = `d${index + 1}`
      assertApplied(await adapter.write('k', 0, expectation, { digest }))
      assert.equal((await readPresent(adapter, 'k')).digest, digest)
    }
  },

  'digest: is dropped by a write without one': async ({ adapter }) => {
    for (const expectation of [EXISTS, ANY]) {
      assertApplied(await adapter.write('k', 1, ANY, { digest: 'earlier' }))
      assertApplied(await adapter.write('k', 1, expectation))
      assert.equal((await readPresent(adapter, 'k')).digest, undefined)
    }
  },

  'digest: of 255 characters comes back as it is': async ({ adapter }) => {
    const digest = '~'.padStart(255, 'Az09-_.+')
    await create(adapter, 'k', 0, { digest })
    assert.equal((await readPresent(adapter, 'k')).digest, digest)
  },

  'digest: is undefined if none was passed': async ({ adapter }) => {
    await create(adapter, 'k', { a: 1 })
    assert.equal((await readPresent(adapter, 'k')).digest, undefined)
  }
}
