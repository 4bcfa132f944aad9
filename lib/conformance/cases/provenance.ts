import assert from 'node:assert/strict'
import { ANY, applied, create, EXISTS, present, versionIn } from '../assert.js'
import type { Cases } from '../harness.js'

/** `replaced` and `digest`: what a safe retry needs to recognise its own write (E2). */
export const provenanceCases: Cases = {
  'replaced: names the version that the write took the place of': async ({ adapter }) => {
    let version = await create(adapter, 'k', 0)
    for (const expectation of [EXISTS, ANY, 'version'] as const) {
      const result = applied(
        await adapter.write('k', 1, expectation === 'version' ? versionIn('other', version) : expectation)
      )
      assert.equal((await present(adapter, 'k')).replaced, version)
      version = result.version
    }
  },

  'replaced: an entity that was created replaced nothing': async ({ adapter }) => {
    await create(adapter, 'a', 1)
    applied(await adapter.write('b', 1, ANY))
    for (const key of ['a', 'b']) assert.equal((await present(adapter, key)).replaced, undefined)
  },

  'replaced: an entity that was created anew did not replace the removed one': async ({ adapter }) => {
    await create(adapter, 'k', 1, { digest: 'removed' })
    applied(await adapter.remove('k', EXISTS))
    await create(adapter, 'k', 2)
    const { replaced, digest } = await present(adapter, 'k')
    assert.deepEqual({ replaced, digest }, { replaced: undefined, digest: undefined })
  },

  'digest: is kept beside the version by every kind of write': async ({ adapter }) => {
    const version = await create(adapter, 'k', 0, { digest: 'd0' })
    assert.equal((await present(adapter, 'k')).digest, 'd0')
    for (const [at, expectation] of [versionIn(version), EXISTS, ANY].entries()) {
      applied(await adapter.write('k', 0, expectation, { digest: `d${at + 1}` }))
      assert.equal((await present(adapter, 'k')).digest, `d${at + 1}`)
    }
  },

  'digest: an earlier one is dropped by a write without one': async ({ adapter }) => {
    for (const expectation of [EXISTS, ANY]) {
      applied(await adapter.write('k', 1, ANY, { digest: 'earlier' }))
      applied(await adapter.write('k', 1, expectation))
      assert.equal((await present(adapter, 'k')).digest, undefined)
    }
  },

  'digest: none is made up where none was passed': async ({ adapter }) => {
    await create(adapter, 'k', { a: 1 })
    assert.equal((await present(adapter, 'k')).digest, undefined)
  }
}
