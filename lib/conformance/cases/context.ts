import assert from 'node:assert/strict'
import { assertRejects, assertSame } from '../assert.js'
import type { Cases } from '../harness.js'
import { ABSENT, ANY, create, EXISTS, list, readPresent, transact, versionIn } from '../steps.js'

const INVALID = 'FST_IF_MATCH_INVALID_OPTIONS'

// None of them holds a transaction, whatever an adapter calls it.
const useless = [null, false, 0, '', 'transaction', Symbol('transaction'), {}, { client: null }, { [Symbol('tx')]: {} }]

/** A write in a context that the adapter ignores is outside of the caller's transaction, and is told as a success. */
export const contextCases: Cases = {
  'context: one that the adapter cannot use is refused with INVALID_OPTIONS, and nothing is done': async ({
    adapter
  }) => {
    const version = await create(adapter, 'k', 1)
    const before = await readPresent(adapter, 'k')
    for (const context of useless) {
      for (const key of ['k', 'absent']) await assertRejects(() => adapter.read(key, { context }), INVALID)
      for (const expectation of [versionIn(version), versionIn('other'), EXISTS, ABSENT, ANY]) {
        for (const key of ['k', 'absent']) {
          await assertRejects(() => adapter.write(key, 2, expectation, { context }), INVALID)
        }
      }
      for (const expectation of [versionIn(version), versionIn('other'), EXISTS]) {
        await assertRejects(() => adapter.remove('k', expectation, { context }), INVALID)
      }
    }
    assertSame(await adapter.read('k'), before)
    assert.equal(await adapter.read('absent'), undefined)
  }
}

export const listContextCases: Cases = {
  'context: a listing in one that the adapter cannot use is refused with INVALID_OPTIONS': async ({ adapter }) => {
    await create(adapter, 'notes/a', 1)
    for (const context of useless) await assertRejects(() => list(adapter, 'notes/', { context }), INVALID)
  }
}

export const transactionContextCases: Cases = {
  'context: a transaction in one that the adapter cannot use gets INVALID_OPTIONS, and its work does not run': async ({
    adapter
  }) => {
    await create(adapter, 'k', 1)
    for (const context of useless) {
      for (const expectation of [EXISTS, ABSENT, ANY]) {
        const work = async () => assert.fail('the work ran')
        await assertRejects(() => transact(adapter, 'k', expectation, work, { context }), INVALID)
      }
    }
  }
}
