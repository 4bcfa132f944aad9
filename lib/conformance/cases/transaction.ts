import assert from 'node:assert/strict'
import type { Expectation } from '../../storage/adapter.js'
import { assertApplied, assertRefused, assertRejects, assertSame, assertWriteRefused } from '../assert.js'
import type { Cases } from '../harness.js'
import {
  ABSENT, ANY, create, EXISTS, inside, put, readPresent, transact, valuesOf, versionIn
} from '../steps.js'

const neverRuns = async () => assert.fail('the work ran')

/** What a transaction answers with, and what its work sees. */
export const transactionCases: Cases = {
  'transaction: is applied under every expectation that holds, and answers with the version that reads give': async ({
    adapter
  }) => {
    let version = await create(adapter, 'k', 0)
    const seen = new Set([version])
    const expectationsOf = [
      () => versionIn(version), () => versionIn('a', version, 'b'), () => EXISTS, () => ANY
    ]
    for (const [index, expectationOf] of expectationsOf.entries()) {
      const work = async (tx: unknown) => await put(adapter, tx, 'k', index, EXISTS)
      const result = assertApplied(await transact(adapter, 'k', expectationOf(), work))
      const stored = await readPresent(adapter, 'k')
      assert.deepEqual({ ...result, stored: stored.value }, {
        applied: true, version: stored.version, created: false, value: stored.version, stored: index
      })
      assert.ok(!seen.has(stored.version), `${stored.version} came back`)
      version = stored.version
      seen.add(version)
    }
  },

  'transaction: creates an absent entity under "absent" and "any", and created is true': async ({ adapter }) => {
    for (const expectation of [ABSENT, ANY]) {
      const { kind } = expectation
      const work = async (tx: unknown) => await put(adapter, tx, kind, { kind }, expectation)
      const result = assertApplied(await transact(adapter, kind, expectation, work))
      const { value, version } = await readPresent(adapter, kind)
      assert.deepEqual({ ...result, stored: value }, {
        applied: true, version, created: true, value: version, stored: { kind }
      })
    }
  },

  'transaction: a removal answers without a version, and created is false': async ({ adapter }) => {
    for (const expectationOf of [(version: string) => versionIn(version), () => EXISTS, () => ANY]) {
      const version = await create(adapter, 'k', 1)
      const result = assertApplied(await transact(adapter, 'k', expectationOf(version), async (tx, locked) => {
        assertApplied(await adapter.remove('k', EXISTS, inside(tx)))
        assert.equal(await locked.read(), undefined)
      }))
      assert.deepEqual({ version: result.version, created: result.created }, { version: undefined, created: false })
      assert.equal(await adapter.read('k'), undefined)
    }
  },

  'transaction: gives what the work returned, as it is': async ({ adapter }) => {
    for (const value of [undefined, null, 0, { at: new Date(0), deep: { applied: false } }, () => {}]) {
      const result = await transact(adapter, 'k', ANY, async (tx) => {
        await put(adapter, tx, 'k', 1)
        return value
      })
      assert.equal(assertApplied(result).value, value)
    }
  },

  'transaction: an expectation that does not hold is refused with the entity, and the work does not run': async ({
    adapter
  }) => {
    const stale = await create(adapter, 'k', 1)
    assertApplied(await adapter.write('k', 2, EXISTS, { digest: 'd' }))
    const before = await readPresent(adapter, 'k')
    const unmet: Expectation[] = [versionIn(stale), versionIn('other', 'another'), versionIn(''), versionIn(), ABSENT]
    for (const expectation of unmet) {
      assertSame(assertRefused(await transact(adapter, 'k', expectation, neverRuns), expectation), before)
    }
    assertSame(await adapter.read('k'), before)
    for (const expectation of [versionIn(stale), versionIn('other'), versionIn('0'), versionIn(), EXISTS]) {
      const result = await transact(adapter, 'absent', expectation, neverRuns)
      assert.equal(assertRefused(result, expectation), undefined)
    }
    assert.equal(await adapter.read('absent'), undefined)
  },

  'transaction: a bad key is refused with INVALID_KEY, and the work does not run': async ({ adapter }) => {
    for (const key of ['', 'a\0b', '\ud800', 'k'.repeat(1025)]) {
      await assertRejects(() => transact(adapter, key, ANY, neverRuns), 'FST_IF_MATCH_INVALID_KEY')
    }
  },

  'transaction: the work is given the version that was compared, and reads its entity with all changes so far': async ({
    adapter
  }) => {
    const version = await create(adapter, 'k', 'before')
    const before = await readPresent(adapter, 'k')
    assertApplied(await transact(adapter, 'k', versionIn('other', version), async (tx, locked) => {
      assert.equal(locked.version, version)
      assertSame(await locked.read(), before)
      const written = await put(adapter, tx, 'k', 'within')
      const within = await locked.read()
      assert.deepEqual({ value: within?.value, version: within?.version }, { value: 'within', version: written })
      await put(adapter, tx, 'k', 'again', versionIn(written))
      assert.equal((await locked.read())?.value, 'again')
      assert.equal(locked.version, version)
    }))
    assert.equal((await readPresent(adapter, 'k')).value, 'again')
  },

  'transaction: of an absent entity the work is given no version, and reads nothing until it wrote': async ({
    adapter
  }) => {
    assertApplied(await transact(adapter, 'k', ABSENT, async (tx, locked) => {
      assert.equal(locked.version, undefined)
      assert.equal(await locked.read(), undefined)
      await put(adapter, tx, 'k', 1, ABSENT)
      assert.equal((await locked.read())?.value, 1)
      assert.equal(locked.version, undefined)
    }))
  },

  'transaction: operations with its client see its changes of every entity, and compare with them': async ({
    adapter
  }) => {
    await create(adapter, 'k', 0)
    const replaced = await create(adapter, 'other', 0)
    assertApplied(await transact(adapter, 'k', EXISTS, async (tx) => {
      const version = await put(adapter, tx, 'other', 1, versionIn(replaced))
      assert.equal((await adapter.read('other', inside(tx)))?.version, version)
      const current = await assertWriteRefused(adapter, 'other', 2, versionIn(replaced), inside(tx))
      assert.deepEqual({ value: current?.value, version: current?.version }, { value: 1, version })
      await put(adapter, tx, 'other', 3, versionIn(version))
      await put(adapter, tx, 'k', 1)
    }))
    assert.deepEqual(await valuesOf(adapter, 'k', 'other'), [1, 3])
  },

  'transaction: everything that its work wrote, created and removed is there': async ({ adapter }) => {
    for (const key of ['k', 'written', 'removed', 'untouched']) await create(adapter, key, 0)
    const untouched = await readPresent(adapter, 'untouched')
    assertApplied(await transact(adapter, 'k', EXISTS, async (tx) => {
      await put(adapter, tx, 'written', 1)
      await put(adapter, tx, 'created', 2, ABSENT)
      assertApplied(await adapter.remove('removed', EXISTS, inside(tx)))
      await put(adapter, tx, 'k', 3)
    }))
    const values = await valuesOf(adapter, 'k', 'written', 'created', 'removed')
    assert.deepEqual(values, [3, 1, 2, undefined])
    assertSame(await adapter.read('untouched'), untouched)
  }
}
