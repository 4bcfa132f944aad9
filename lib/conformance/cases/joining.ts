import assert from 'node:assert/strict'
import { assertApplied, assertRefused } from '../assert.js'
import type { Cases } from '../harness.js'
import { ABSENT, create, EXISTS, inside, put, readPresent, transact, valuesOf, versionIn } from '../steps.js'

/** A transaction whose context is the client of another one. */
export const joiningCases: Cases = {
  'joining: a transaction inside another one is applied with it': async ({ adapter }) => {
    await create(adapter, 'k', 0)
    await create(adapter, 'other', 0)
    assertApplied(await transact(adapter, 'k', EXISTS, async (tx) => {
      await put(adapter, tx, 'k', 1)
      const joined = assertApplied(await transact(adapter, 'other', EXISTS, async (sameTx, locked) => {
        await put(adapter, sameTx, 'other', 1)
        return (await locked.read())?.version
      }, inside(tx)))
      assert.equal(joined.created, false)
      assert.equal(joined.version, joined.value)
      assert.equal((await adapter.read('other', inside(tx)))?.version, joined.version)
      assertApplied(await transact(adapter, 'created', ABSENT, async (sameTx) => {
        await put(adapter, sameTx, 'created', 1)
      }, inside(tx)))
    }))
    assert.deepEqual(await valuesOf(adapter, 'k', 'other', 'created'), [1, 1, 1])
  },

  'joining: a transaction that was applied inside another one is rolled back with it': async ({ adapter }) => {
    await create(adapter, 'k', 0)
    await create(adapter, 'other', 0)
    const error = new Error('of the outer work')
    const failing = transact(adapter, 'k', EXISTS, async (tx) => {
      assertApplied(await transact(adapter, 'other', EXISTS, async (sameTx) => {
        await put(adapter, sameTx, 'other', 1)
      }, inside(tx)))
      await put(adapter, tx, 'k', 1)
      throw error
    })
    assert.equal(await failing.catch((reason: unknown) => reason), error)
    assert.deepEqual(await valuesOf(adapter, 'k', 'other'), [0, 0])
  },

  'joining: an error of the work inside is passed on as it is, and the work outside rolled back by it': async ({
    adapter
  }) => {
    await create(adapter, 'k', 0)
    await create(adapter, 'other', 0)
    const error = new Error('of the inner work')
    const failing = transact(adapter, 'k', EXISTS, async (tx) => {
      await put(adapter, tx, 'k', 1)
      return await transact(adapter, 'other', EXISTS, async (sameTx) => {
        await put(adapter, sameTx, 'other', 1)
        throw error
      }, inside(tx))
    })
    assert.equal(await failing.catch((reason: unknown) => reason), error)
    assert.deepEqual(await valuesOf(adapter, 'k', 'other'), [0, 0])
  },

  'joining: a transaction compares with what the one around it wrote, and its refusal ends neither': async ({
    adapter
  }) => {
    const version = await create(adapter, 'k', 0)
    assertApplied(await transact(adapter, 'k', versionIn(version), async (tx) => {
      const written = await put(adapter, tx, 'k', 1)
      const neverRuns = async () => assert.fail('the work ran')
      for (const unmet of [versionIn(version), versionIn(), ABSENT]) {
        const current = assertRefused(await transact(adapter, 'k', unmet, neverRuns, inside(tx)), unmet)
        assert.deepEqual({ value: current?.value, version: current?.version }, { value: 1, version: written })
      }
      assertApplied(await transact(adapter, 'k', versionIn(written), async (sameTx, locked) => {
        assert.equal(locked.version, written)
        await put(adapter, sameTx, 'k', 2)
      }, inside(tx)))
    }))
    assert.equal((await readPresent(adapter, 'k')).value, 2)
  }
}
