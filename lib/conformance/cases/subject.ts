import assert from 'node:assert/strict'
import { assertApplied, assertSame } from '../assert.js'
import { runCase, type Cases, type CreateAdapter } from '../harness.js'
import { ANY, create, EXISTS, put, readPresent, transact } from '../steps.js'

/** What the options of the suite say about its subjects. */
export interface Claims {
  list: boolean
  another: boolean
  faults: boolean
  replaced: boolean
  digest: boolean
  reusedKeys: boolean
  transactions: boolean
}

/** Checks `createAdapter` and the options: without isolated subjects no other case would prove anything. */
export function subjectCases (createAdapter: CreateAdapter, claims: Claims): Cases {
  return {
    'subject: every call of createAdapter gives an empty store of its own': async ({ adapter }) => {
      await create(adapter, 'a', 1)
      await runCase(createAdapter, async ({ adapter: other }) => {
        assert.equal(await other.read('a'), undefined)
        await create(other, 'a', 2)
      })
      assert.equal((await readPresent(adapter, 'a')).value, 1)
    },

    'subject: the option "list" agrees with the adapter': async ({ adapter }) => {
      assertClaim('list', adapter.list !== undefined, claims.list)
    },

    'subject: the option "another" agrees with the subject': async ({ subject }) => {
      assertClaim('another', subject.another !== undefined, claims.another)
    },

    'subject: the option "faults" agrees with the subject': async ({ subject }) => {
      assertClaim('faults', subject.cut !== undefined, claims.faults)
    },

    'subject: the option "transactions" agrees with the adapter': async ({ adapter }) => {
      const isThere = adapter.transaction !== undefined
      const advice = isThere ? 'pass "transactions: true"' : 'leave out "transactions: true"'
      assert.equal(isThere, claims.transactions, advice)
    },

    'subject: the option "replaced" agrees with the adapter': async ({ adapter }) => {
      for (const value of [1, 2]) assertApplied(await adapter.write('k', value, ANY))
      assertClaim('replaced', isKept((await readPresent(adapter, 'k')).replaced), claims.replaced)
    },

    'subject: the option "digest" agrees with the adapter': async ({ adapter }) => {
      assertApplied(await adapter.write('k', 1, ANY, { digest: 'd' }))
      assertClaim('digest', isKept((await readPresent(adapter, 'k')).digest), claims.digest)
    },

    ...claims.transactions && {
      'subject: the options "replaced" and "digest" agree with transactions': async ({ adapter }) => {
        await create(adapter, 'k', 1)
        assertApplied(await transact(adapter, 'k', EXISTS, async (tx) => {
          await put(adapter, tx, 'k', 2)
        }, { digest: 'd' }))
        const { replaced, digest } = await readPresent(adapter, 'k')
        assertClaim('replaced', isKept(replaced), claims.replaced)
        assertClaim('digest', isKept(digest), claims.digest)
      }
    },

    ...!claims.reusedKeys && {
      'subject: the option "reusedKeys: false" is needed: a version comes back in the second life of a key': async ({
        adapter
      }) => {
        const lives: Array<Set<string>> = []
        for (const life of [0, 1]) {
          const versions = new Set([await create(adapter, 'k', life)])
          for (let round = 0; round < 4; round++) {
            versions.add(assertApplied(await adapter.write('k', round, EXISTS)).version)
          }
          assertApplied(await adapter.remove('k', EXISTS))
          lives.push(versions)
        }
        assertClaim('reusedKeys', ![...lives[0]!].some((version) => lives[1]!.has(version)), false)
      }
    },

    ...claims.another && {
      'subject: another() gives a second adapter on the same data': async (harness) => {
        const another = await harness.another()
        assert.notEqual(another, harness.adapter)
        await create(harness.adapter, 'a', { n: 1 })
        assertSame(await another.read('a'), await readPresent(harness.adapter, 'a'))
      }
    }
  }
}

function isKept (member: unknown): boolean {
  return member !== undefined && member !== null
}

function assertClaim (option: Exclude<keyof Claims, 'transactions'>, isThere: boolean, isClaimed: boolean): void {
  assert.equal(isThere, isClaimed, isThere ? `leave out "${option}: false"` : `pass "${option}: false"`)
}
