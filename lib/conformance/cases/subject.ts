import assert from 'node:assert/strict'
import { assertSame } from '../assert.js'
import { runCase, type Cases, type CreateAdapter } from '../harness.js'
import { create, readPresent } from '../steps.js'

/** What the options of the suite say about its subjects. */
export interface Claims { list: boolean, another: boolean, faults: boolean, transactions: boolean }

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

function assertClaim (option: 'list' | 'another' | 'faults', isThere: boolean, isClaimed: boolean): void {
  assert.equal(isThere, isClaimed, isThere ? `leave out "${option}: false"` : `pass "${option}: false"`)
}
