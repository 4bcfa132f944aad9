import assert from 'node:assert/strict'
import type { StorageAdapter, Stored } from '../../storage/adapter.js'
import { assertApplied, assertRefused, assertSame } from '../assert.js'
import { together } from '../callers.js'
import type { Cases } from '../harness.js'
import { ABSENT, ANY, create, EXISTS, inside, put, readPresent, transact, versionIn } from '../steps.js'

const CALLERS = 8

/** `replaced` after a transaction, which is one write, however often its work wrote. */
export const transactionReplacedCases: Cases = {
  'replaced: after a transaction is the version that it locked, however often its work wrote': async ({ adapter }) => {
    let version = await create(adapter, 'k', 0)
    for (const expectationOf of [() => EXISTS, () => ANY, () => versionIn('other', version)]) {
      const result = assertApplied(await transact(adapter, 'k', expectationOf(), async (tx) => {
        for (const value of [1, 2, 3]) await put(adapter, tx, 'k', value, EXISTS)
      }))
      const { replaced, version: stored } = await readPresent(adapter, 'k')
      assert.deepEqual({ replaced, stored }, { replaced: version, stored: result.version })
      version = result.version!
    }
  },

  'replaced: is undefined after a transaction that created the entity, however often its work wrote': async ({
    adapter
  }) => {
    for (const [key, expectation] of [['a', ABSENT], ['b', ANY]] as const) {
      assertApplied(await transact(adapter, key, expectation, async (tx) => {
        for (const value of [1, 2]) await put(adapter, tx, key, value)
      }))
      assert.equal((await readPresent(adapter, key)).replaced, undefined)
    }
  },

  'replaced: of a transaction inside another one is what it locked, unless the one around it is about the same entity':
    async ({ adapter }) => {
      const [version, other] = [await create(adapter, 'k', 0), await create(adapter, 'other', 0)]
      assertApplied(await transact(adapter, 'k', EXISTS, async (tx) => {
        // One that ran beside this transaction, and not inside of it, would be in its way each time.
        const written = await put(adapter, tx, 'k', 1)
        for (const [key, locked] of [['k', written], ['other', other]] as const) {
          assertApplied(await transact(adapter, key, versionIn(locked), async (tx) => {
            for (const value of [2, 3]) await put(adapter, tx, key, value)
          }, inside(tx)))
        }
      }))
      assert.equal((await readPresent(adapter, 'other')).replaced, other)
      assert.equal((await readPresent(adapter, 'k')).replaced, version)
    }
}

/** `digest` of a transaction. */
export const transactionDigestCases: Cases = {
  'digest: is stored by every kind of transaction, in place of those that its work wrote': async ({ adapter }) => {
    const expectationsOf = [() => ABSENT, (version: string) => versionIn(version), () => EXISTS, () => ANY]
    let version = ''
    for (const [index, expectationOf] of expectationsOf.entries()) {
      const digest = `d${index}`
      await writeWith(adapter, expectationOf(version), digest)
      const stored = await readPresent(adapter, 'k')
      assert.equal(stored.digest, digest)
      version = stored.version
    }
  },

  'digest: is dropped by a transaction without one, also that of a write in its work': async ({ adapter }) => {
    for (const expectation of [ABSENT, EXISTS]) {
      await writeWith(adapter, expectation, undefined)
      assert.equal((await readPresent(adapter, 'k')).digest, undefined)
      await writeWith(adapter, EXISTS, 'earlier')
      await writeWith(adapter, EXISTS, undefined)
      assert.equal((await readPresent(adapter, 'k')).digest, undefined)
      assertApplied(await adapter.remove('k', EXISTS))
      await create(adapter, 'k', 1, { digest: 'earlier' })
    }
  },

  'digest: a transaction that is refused or rolled back leaves that of before': async ({ adapter }) => {
    const before = await createFull(adapter)
    const digest = 'of nothing'
    for (const expectation of [ABSENT, versionIn('other'), versionIn()]) {
      const refused = await transact(adapter, 'k', expectation, async () => assert.fail('the work ran'), { digest })
      assertSame(assertRefused(refused, expectation), before)
      assertSame(await adapter.read('k'), before)
    }
    const error = new Error('of the work')
    const failing = transact(adapter, 'k', EXISTS, async (tx) => {
      await put(adapter, tx, 'k', 3)
      throw error
    }, { digest })
    assert.equal(await failing.catch((reason: unknown) => reason), error)
    assertSame(await adapter.read('k'), before)
  },

  'digest: the work reads that of the entity, and a refusal inside it tells that, until the work writes': async ({
    adapter
  }) => {
    const before = await createFull(adapter)
    assertApplied(await transact(adapter, 'k', EXISTS, async (tx, locked) => {
      assertSame(await locked.read(), before)
      assertSame(await adapter.read('k', inside(tx)), before)
      for (const expectation of [ABSENT, versionIn('other')]) {
        assertSame(assertRefused(await adapter.write('k', 3, expectation, inside(tx)), expectation), before)
        const joined = await transact(adapter, 'k', expectation, async () => assert.fail('the work ran'), inside(tx))
        assertSame(assertRefused(joined, expectation), before)
      }
      const removal = versionIn('other')
      assertSame(assertRefused(await adapter.remove('k', removal, inside(tx)), removal), before)
      await put(adapter, tx, 'k', 4)
    }, { digest: 'applied' }))
    assert.equal((await readPresent(adapter, 'k')).digest, 'applied')
  },

  'digest: of another entity that a work writes is that of its own write or transaction': async ({ adapter }) => {
    for (const key of ['k', 'joined', 'without']) await create(adapter, key, 0, { digest: 'earlier' })
    assertApplied(await transact(adapter, 'k', EXISTS, async (tx) => {
      assertApplied(await adapter.write('written', 1, ANY, { ...inside(tx), digest: 'of the write' }))
      assertApplied(await transact(adapter, 'joined', EXISTS, async (tx) => {
        await put(adapter, tx, 'joined', 1)
      }, { ...inside(tx), digest: 'of the other' }))
      await put(adapter, tx, 'without', 1)
      await put(adapter, tx, 'k', 1)
    }, { digest: 'of the whole' }))
    const digests: unknown[] = []
    for (const key of ['k', 'written', 'joined', 'without']) digests.push((await readPresent(adapter, key)).digest)
    assert.deepEqual(digests, ['of the whole', 'of the write', 'of the other', undefined])
  },

  'digest: of transactions that race is that of the one that is applied, and all refusals tell it': async ({
    adapter
  }) => {
    const expectation = versionIn(await create(adapter, 'k', 'base'))
    const results = await together(CALLERS, async (caller) =>
      await transact(adapter, 'k', expectation, async (tx) => {
        await put(adapter, tx, 'k', caller)
      }, { digest: `of ${caller}` }))
    const stored = await readPresent(adapter, 'k')
    assert.equal(stored.digest, `of ${stored.value}`)
    for (const result of results) if (!result.applied) assertSame(result.current, stored)
  }
}

// An entity with all members, so that what loses one shows.
async function createFull (adapter: StorageAdapter): Promise<Stored> {
  await create(adapter, 'k', 1)
  assertApplied(await adapter.write('k', 2, EXISTS, { digest: 'kept' }))
  return await readPresent(adapter, 'k')
}

// A transaction whose work writes with a digest of its own.
async function writeWith (
  adapter: StorageAdapter,
  expectation: Parameters<typeof transact>[2],
  digest: string | undefined
): Promise<void> {
  assertApplied(await transact(adapter, 'k', expectation, async (tx) => {
    assertApplied(await adapter.write('k', 1, ANY, { ...inside(tx), digest: 'of the work' }))
  }, { digest }))
}
