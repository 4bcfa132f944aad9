import assert from 'node:assert/strict'
import type { StorageAdapter, TransactionResult } from '../../storage/adapter.js'
import { assertApplied, assertCode, assertRejects, assertTruthful } from '../assert.js'
import type { Cases, Harness } from '../harness.js'
import { moment, turns } from '../moments.js'
import { ABSENT, ANY, create, EXISTS, inside, put, transact, valuesOf, versionIn } from '../steps.js'

const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
const UNKNOWN = 'FST_IF_MATCH_OUTCOME_UNKNOWN'

/** An outage rejects a transaction, and never leaves a part of it. */
export const transactionFaultCases: Cases = {
  'faults: during an outage a transaction rejects, and STORAGE_UNAVAILABLE means that it is never applied': async ({
    adapter,
    whileCut
  }) => {
    const version = await create(adapter, 'k', 'before')
    await create(adapter, 'other', 'before')
    let isCertain = true
    await whileCut(async () => {
      for (const expectation of [versionIn(version), versionIn('other'), EXISTS, ABSENT, ANY]) {
        for (const key of ['k', 'absent']) {
          const transacting = () => transact(adapter, key, expectation, async (tx) => {
            await put(adapter, tx, key, 'during')
            await put(adapter, tx, 'other', 'during')
          })
          if (await assertRejects(transacting, UNAVAILABLE, UNKNOWN) === UNKNOWN) isCertain = false
        }
      }
    })
    // One that is sent late has the time of these to be applied.
    for (const key of ['a', 'b']) assertApplied(await createBoth(adapter, key, `${key}/other`))
    const after = await valuesOf(adapter, 'k', 'other', 'absent')
    if (isCertain) assert.deepEqual(after, ['before', 'before', undefined])
  },

  'faults: an outage that starts while a work runs rejects its operations and the transaction, and nothing is left': async (
    harness
  ) => {
    for (const written of [0, 1, 2]) {
      const keys = [`k${written}`, `other${written}`]
      const answer = await cutInWork(harness, keys[0]!, {
        async before (tx) {
          for (const key of keys.slice(0, written)) await put(harness.adapter, tx, key, 1)
        },
        async during (tx) {
          const { adapter } = harness
          for (const key of keys) await assertRejects(() => adapter.read(key, inside(tx)), UNAVAILABLE, UNKNOWN)
          for (const key of keys.slice(written)) {
            await assertRejects(() => adapter.write(key, 1, ABSENT, inside(tx)), UNAVAILABLE, UNKNOWN)
          }
        }
      })
      assert.equal(answer.status, 'rejected', 'the transaction did not reject')
      assertCode((answer as PromiseRejectedResult).reason, [UNAVAILABLE, UNKNOWN])
      await assertTruthful(harness.adapter, keys, answer)
    }
  },

  'faults: an error of the work is passed on as it is, or tells of the outage in which it was thrown': async (
    harness
  ) => {
    const error = new Error('of the app')
    const answer = await cutInWork(harness, 'k', {
      before: async (tx) => { await put(harness.adapter, tx, 'k', 1) },
      during: async () => { throw error }
    })
    assert.equal(answer.status, 'rejected', 'the transaction did not reject')
    const { reason } = answer as PromiseRejectedResult
    if (reason !== error) assertCode(reason, [UNAVAILABLE, UNKNOWN])
    await assertTruthful(harness.adapter, ['k'], answer)
  },

  'faults: transactions in flight when an outage starts are answered truthfully, and none is half applied': async ({
    adapter,
    whileCut
  }) => {
    for (let turnsAhead = 0; turnsAhead < 8; turnsAhead++) {
      const pairs = [0, 1, 2, 3].map((index) => [`k${turnsAhead}-${index}`, `other${turnsAhead}-${index}`] as const)
      const settling = Promise.allSettled(pairs.map(async ([key, other]) => await createBoth(adapter, key, other)))
      await turns(turnsAhead)
      let answers: Array<PromiseSettledResult<TransactionResult>> = []
      await whileCut(async () => { answers = await settling })
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'rejected') assertCode(answer.reason, [UNAVAILABLE, UNKNOWN])
        await assertTruthful(adapter, pairs[index]!, answer)
      }
    }
  },

  'faults: after an outage transactions work as before': async ({ adapter, whileCut }) => {
    await create(adapter, 'k', 1)
    await whileCut(async () => {
      await assertRejects(() => createBoth(adapter, 'k', 'other'), UNAVAILABLE, UNKNOWN)
    })
    assertApplied(await transact(adapter, 'k', EXISTS, (tx) => put(adapter, tx, 'k', 2)))
    assertApplied(await createBoth(adapter, 'a', 'b'))
    assert.deepEqual(await valuesOf(adapter, 'k', 'a', 'b'), [2, 1, 1])
  }
}

async function createBoth (adapter: StorageAdapter, key: string, other: string): Promise<TransactionResult> {
  return await transact(adapter, key, ABSENT, async (tx) => {
    await put(adapter, tx, other, 1)
    await put(adapter, tx, key, 1)
  })
}

// A creation of `key` whose work runs in part before an outage, and in part during it.
async function cutInWork (
  { adapter, whileCut }: Harness,
  key: string,
  steps: Record<'before' | 'during', (tx: unknown) => Promise<void>>
): Promise<PromiseSettledResult<TransactionResult>> {
  const isBegun = moment()
  const isCut = moment()
  const settling = Promise.allSettled([transact(adapter, key, ABSENT, async (tx) => {
    await steps.before(tx)
    isBegun.reach()
    await isCut.reached
    await steps.during(tx)
  })])
  settling.then(isBegun.reach, isBegun.reach)
  await isBegun.reached
  let answer!: PromiseSettledResult<TransactionResult>
  await whileCut(async () => {
    isCut.reach()
    answer = (await settling)[0]
  })
  return answer
}
