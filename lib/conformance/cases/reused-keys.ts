import assert from 'node:assert/strict'
import { assertApplied, assertSame, assertWriteRefused } from '../assert.js'
import type { Cases } from '../harness.js'
import { ANY, create, EXISTS, readPresent, versionIn } from '../steps.js'

const ROUNDS = 32

/** Versions never come back, not even in a second life of the entity: for keys that are used again. */
export const reusedKeyCases: Cases = {
  'replace: a version of an entity that was removed and created again is refused': async ({ adapter }) => {
    const stale = await create(adapter, 'k', 1)
    assertApplied(await adapter.remove('k', versionIn(stale)))
    await create(adapter, 'k', 1)
    const before = await readPresent(adapter, 'k')
    assertSame(await assertWriteRefused(adapter, 'k', 2, versionIn(stale)), before)
    assertSame(await adapter.read('k'), before)
  },

  'version: never comes back after the entity was removed and created again': async ({ adapter }) => {
    const seen = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const created = await create(adapter, 'k', 'same')
      const replaced = assertApplied(await adapter.write('k', 'same', EXISTS)).version
      for (const version of [created, replaced]) {
        assert.ok(!seen.has(version), `${version} came back`)
        seen.add(version)
      }
      assertApplied(await adapter.remove('k', EXISTS))
    }
  }
}

export const reusedKeyTwoAdapterCases: Cases = {
  'two adapters: never issue the same version': async (harness) => {
    const adapters = [harness.adapter, await harness.another()]
    const seen = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const adapter = adapters[round % 2]!
      seen.add(await create(adapter, 'k', 'same'))
      assertApplied(await adapter.remove('k', EXISTS))
    }
    assert.equal(seen.size, ROUNDS)
  }
}

/** Versions never come back while the entity lives: for keys that are never used again. */
export const oneLifeCases: Cases = {
  'version: never comes back while the entity lives': async ({ adapter }) => {
    const contents = ['a', 'a', 'b']
    for (const key of ['first', 'second']) {
      const seen = new Set([await create(adapter, key, 'a')])
      for (let round = 0; round < ROUNDS; round++) {
        const { version } = assertApplied(await adapter.write(key, contents[round % contents.length], EXISTS))
        assert.ok(!seen.has(version), `${version} came back`)
        seen.add(version)
      }
    }
  }
}

export const oneLifeTwoAdapterCases: Cases = {
  'two adapters: never issue the same version while the entity lives': async (harness) => {
    const adapters = [harness.adapter, await harness.another()]
    const seen = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      seen.add(assertApplied(await adapters[round % 2]!.write('k', 'same', ANY)).version)
    }
    assert.equal(seen.size, ROUNDS)
  }
}
