import assert from 'node:assert/strict'
import type { StorageAdapter, Stored } from '../../storage/adapter.js'
import { assertApplied, assertRemovalRefused, assertSame, assertWriteRefused } from '../assert.js'
import { together } from '../callers.js'
import type { Cases } from '../harness.js'
import { ABSENT, create, EXISTS, readPresent, versionIn } from '../steps.js'

const unmet = [versionIn('other'), versionIn('a', 'b'), versionIn()]

// Stores an entity with all members, so that a refusal that loses one shows.
async function createFull (adapter: StorageAdapter): Promise<Stored> {
  await create(adapter, 'k', { a: 1 })
  assertApplied(await adapter.write('k', { a: 2 }, EXISTS, { digest: 'kept' }))
  return await readPresent(adapter, 'k')
}

/** A refusal tells the entity that is stored, and leaves it unchanged. */
export const refusalCases: Cases = {
  'refusal: a refused creation changes nothing, including replaced and digest': async ({ adapter }) => {
    const before = await createFull(adapter)
    await assertWriteRefused(adapter, 'k', { a: 3 }, ABSENT, { digest: 'other' })
    assertSame(await adapter.read('k'), before)
  },

  'refusal: a refused replacement changes nothing, including replaced and digest': async ({ adapter }) => {
    const before = await createFull(adapter)
    for (const expectation of unmet) {
      await assertWriteRefused(adapter, 'k', { a: 3 }, expectation, { digest: 'other' })
      assertSame(await adapter.read('k'), before)
    }
  },

  'refusal: a refused removal changes nothing, including replaced and digest': async ({ adapter }) => {
    const before = await createFull(adapter)
    for (const expectation of unmet) {
      await assertRemovalRefused(adapter, 'k', expectation)
      assertSame(await adapter.read('k'), before)
    }
  },

  'refusal: current is all that a read gives, including replaced and digest': async ({ adapter }) => {
    const before = await createFull(adapter)
    assertSame(await assertWriteRefused(adapter, 'k', 1, ABSENT), before)
    assertSame(await assertWriteRefused(adapter, 'k', 1, versionIn('other')), before)
    assertSame(await assertRemovalRefused(adapter, 'k', versionIn('other')), before)
  },

  'refusal: of changes that arrive together, each tells all of its own entity, also one that was only created': async ({
    adapter
  }) => {
    const stored: Stored[] = []
    for (const index of [0, 1, 2, 3, 4, 5]) {
      await create(adapter, `k${index}`, index, { digest: `creation of ${index}` })
      if (index % 2 === 0) {
        assertApplied(await adapter.write(`k${index}`, index, EXISTS, { digest: `change of ${index}` }))
      }
      stored.push(await readPresent(adapter, `k${index}`))
    }
    const tries = [
      async (key: string) => await assertWriteRefused(adapter, key, 'other', ABSENT, { digest: 'other' }),
      async (key: string) => await assertWriteRefused(adapter, key, 'other', versionIn('other'), { digest: 'other' }),
      async (key: string) => await assertRemovalRefused(adapter, key, versionIn('other'))
    ]
    const currents = await together(stored.length * tries.length, async (caller) =>
      await tries[Math.floor(caller / stored.length)]!(`k${caller % stored.length}`))
    for (const [caller, current] of currents.entries()) assertSame(current, stored[caller % stored.length])
  },

  'refusal: the version of current is accepted by the next write': async ({ adapter }) => {
    await createFull(adapter)
    const current = await assertWriteRefused(adapter, 'k', 1, ABSENT)
    assert.ok(current)
    assertApplied(await adapter.write('k', 3, versionIn(current.version)))
  }
}
