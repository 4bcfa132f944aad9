import assert from 'node:assert/strict'
import { ABSENT, applied, create, EXISTS, present, refused, same, versionIn } from '../assert.js'
import type { Cases, Stage } from '../harness.js'

// An entity with all there is to lose: it replaced a version and carries a digest.
async function full ({ adapter }: Stage) {
  await create(adapter, 'k', { a: 1 })
  applied(await adapter.write('k', { a: 2 }, EXISTS, { digest: 'kept' }))
  return await present(adapter, 'k')
}

/** A refusal says truthfully what is there, and leaves it there. */
export const refusalCases: Cases = {
  'refusal: a refused creation changes nothing, not even replaced and digest (R41)': async (stage) => {
    const before = await full(stage)
    refused(await stage.adapter.write('k', { a: 3 }, ABSENT, { digest: 'other' }), ABSENT)
    same(await stage.adapter.read('k'), before)
  },

  'refusal: a refused replacement changes nothing, not even replaced and digest (R41)': async (stage) => {
    const before = await full(stage)
    for (const expectation of [versionIn('other'), versionIn('a', 'b'), versionIn()]) {
      refused(await stage.adapter.write('k', { a: 3 }, expectation, { digest: 'other' }), expectation)
      same(await stage.adapter.read('k'), before)
    }
  },

  'refusal: a refused removal changes nothing, not even replaced and digest (R41)': async (stage) => {
    const before = await full(stage)
    for (const expectation of [versionIn('other'), versionIn('a', 'b'), versionIn()]) {
      refused(await stage.adapter.remove('k', expectation), expectation)
      same(await stage.adapter.read('k'), before)
    }
  },

  'refusal: current is all that a read gives, replaced and digest included': async (stage) => {
    const before = await full(stage)
    const expectation = versionIn('other')
    same(refused(await stage.adapter.write('k', 1, ABSENT), ABSENT), before)
    same(refused(await stage.adapter.write('k', 1, expectation), expectation), before)
    same(refused(await stage.adapter.remove('k', expectation), expectation), before)
  },

  'refusal: the version of current is good for the next write (R74)': async (stage) => {
    await full(stage)
    const current = refused(await stage.adapter.write('k', 1, ABSENT), ABSENT)
    assert.ok(current)
    applied(await stage.adapter.write('k', 3, versionIn(current.version)))
  }
}
