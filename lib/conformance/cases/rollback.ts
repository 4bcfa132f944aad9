import assert from 'node:assert/strict'
import type { Expectation, ReadOptions, StorageAdapter, Stored } from '../../storage/adapter.js'
import { assertApplied, assertRejects, assertSame, assertTruthful } from '../assert.js'
import { allSettled } from '../callers.js'
import { casesForEach, type Cases } from '../harness.js'
import { linger, moment, turns } from '../moments.js'
import { ABSENT, ANY, create, EXISTS, inside, put, readPresent, transact, valuesOf } from '../steps.js'

const KEYS = ['k', 'other', 'removed', 'created'] as const

type Change = (adapter: StorageAdapter, tx: unknown) => Promise<unknown>

const changeNothing: Change = async () => {}

// Changes entities beside the one that the transaction is about.
const changeOthers: Change = async (adapter, tx) => {
  await put(adapter, tx, 'other', 'changed')
  await put(adapter, tx, 'created', 'changed', ABSENT)
  assertApplied(await adapter.remove('removed', EXISTS, inside(tx)))
}

const changeAll: Change = async (adapter, tx) => {
  await put(adapter, tx, 'k', 'changed')
  await changeOthers(adapter, tx)
}

async function entities (adapter: StorageAdapter): Promise<Array<Stored | undefined>> {
  const found: Array<Stored | undefined> = []
  for (const key of KEYS) found.push(await adapter.read(key))
  return found
}

// Nothing is left of the attempt, nor is anything locked.
async function assertLeavesNothing (adapter: StorageAdapter, attempt: () => Promise<void>): Promise<void> {
  for (const key of ['k', 'other', 'removed']) if (await adapter.read(key) === undefined) await create(adapter, key, 0)
  const before = await entities(adapter)
  await attempt()
  for (const [index, stored] of (await entities(adapter)).entries()) assertSame(stored, before[index])
  assertApplied(await transact(adapter, 'k', EXISTS, async (tx) => {
    await put(adapter, tx, 'k', 'after')
    await put(adapter, tx, 'other', 'after')
  }))
  assert.deepEqual(await valuesOf(adapter, 'k', 'other', 'created'), ['after', 'after', undefined])
}

// What the work itself throws would be passed on, so the error must be another one.
async function assertEnds (transacting: Promise<unknown>): Promise<void> {
  await assert.rejects(transacting, (error) => !(error instanceof assert.AssertionError))
}

const errors: Record<string, () => Error> = {
  'an error of the work': () => new Error('of the app'),
  'a frozen error of the work': () => Object.freeze(new Error('of the app')),
  'an error of the work with a statusCode of 409': () => Object.assign(new Error('of the app'), { statusCode: 409 }),
  'an error of the work with a status of 503': () => Object.assign(new Error('of the app'), { status: 503 }),
  'a TypeError of the work, which is a bug,': () => new TypeError('x is not a function')
}

const unchanged: Record<string, { expectation: Expectation, key: string, change: Change }> = {
  'does nothing': { expectation: ANY, key: 'k', change: changeNothing },
  'changes other entities alone': { expectation: EXISTS, key: 'k', change: changeOthers },
  'creates nothing': { expectation: ANY, key: 'absent', change: changeOthers },
  'removes what it created': {
    expectation: ABSENT,
    key: 'absent',
    async change (adapter, tx) {
      await changeOthers(adapter, tx)
      await put(adapter, tx, 'absent', 1)
      assertApplied(await adapter.remove('absent', EXISTS, inside(tx)))
    }
  }
}

// Both ways to say that nobody waits for the answer any more.
const waits: Record<string, () => { options: ReadOptions, end: () => void }> = {
  isOver () {
    let isOver = false
    return { options: { isOver: () => isOver }, end: () => { isOver = true } }
  },
  signal () {
    const controller = new AbortController()
    return { options: { signal: controller.signal }, end: () => { controller.abort() } }
  }
}

/** Ends of a transaction after which nothing is left. */
export const rollbackCases: Cases = {
  ...casesForEach(
    errors,
    (name) => `rollback: ${name} is passed on as it is, and nothing is left`,
    async ({ adapter }, errorOf) => {
      for (const change of [changeAll, changeOthers, changeNothing]) {
        const error = errorOf()
        await assertLeavesNothing(adapter, async () => {
          const failing = transact(adapter, 'k', EXISTS, async (tx) => {
            await change(adapter, tx)
            throw error
          })
          assert.equal(await failing.catch((reason: unknown) => reason), error)
        })
      }
    }
  ),

  'rollback: a work that throws before it returns a promise is no different': async ({ adapter }) => {
    const error = new Error('of the app')
    await assertLeavesNothing(adapter, async () => {
      const failing = transact(adapter, 'k', ANY, () => { throw error })
      assert.equal(await failing.catch((reason: unknown) => reason), error)
    })
  },

  ...casesForEach(
    unchanged,
    (name) => `rollback: a work that ${name} gets VERSION_UNCHANGED, and nothing is left`,
    async ({ adapter }, { expectation, key, change }) => {
      await assertLeavesNothing(adapter, async () => {
        const work = async (tx: unknown) => await change(adapter, tx)
        await assertRejects(() => transact(adapter, key, expectation, work), 'FST_IF_MATCH_VERSION_UNCHANGED')
        assert.equal(await adapter.read('absent'), undefined)
      })
    }
  ),

  ...casesForEach(
    waits,
    (name) => `rollback: if nobody waits any more when a transaction begins, its work does not run (${name})`,
    async ({ adapter }, newWait) => {
      await assertLeavesNothing(adapter, async () => {
        const { options, end } = newWait()
        end()
        for (const [key, expectation] of [['k', EXISTS], ['created', ABSENT], ['created', ANY]] as const) {
          const neverRuns = async () => assert.fail('the work ran')
          await assertEnds(transact(adapter, key, expectation, neverRuns, options))
        }
      })
    }
  ),

  ...casesForEach(
    waits,
    (name) => `rollback: if nobody waits any more when the work ends, nothing is left (${name})`,
    async ({ adapter }, newWait) => {
      for (const endsFirst of [true, false]) {
        const { options, end } = newWait()
        await assertLeavesNothing(adapter, async () => {
          await assertEnds(transact(adapter, 'k', EXISTS, async (tx) => {
            if (endsFirst) end()
            await changeAll(adapter, tx)
            end()
          }, options))
        })
      }
    }
  ),

  ...casesForEach(
    waits,
    (name) => `rollback: a work whose turn comes when nobody waits any more does not run (${name})`,
    async ({ adapter }, newWait) => {
      await create(adapter, 'k', 0)
      const { options, end } = newWait()
      const isLocked = moment()
      let isOver = false
      let isLate = false
      const first = transact(adapter, 'k', EXISTS, async (tx, locked) => {
        isLocked.reach()
        await linger(locked, () => false)
        isOver = true
        end()
        await put(adapter, tx, 'k', 'first')
      })
      first.then(isLocked.reach, isLocked.reach)
      await isLocked.reached
      const second = Promise.allSettled([transact(adapter, 'k', EXISTS, async (tx) => {
        isLate ||= isOver
        await put(adapter, tx, 'k', 'second')
      }, options)])
      await allSettled([first, second])
      assert.equal(isLate, false, 'the work ran')
      assert.equal((await readPresent(adapter, 'k')).value, 'first')
    }
  ),

  'rollback: a transaction whose signal aborts on the way is answered truthfully, and never half applied': async ({
    adapter
  }) => {
    for (let turnsAhead = 0; turnsAhead < 12; turnsAhead++) {
      const [key, other] = [`k${turnsAhead}`, `other${turnsAhead}`]
      const controller = new AbortController()
      const transacting = transact(adapter, key, ABSENT, async (tx) => {
        await put(adapter, tx, key, 1)
        await put(adapter, tx, other, 1)
      }, { signal: controller.signal })
      const settling = Promise.allSettled([transacting])
      await turns(turnsAhead)
      controller.abort()
      const [answer] = await settling
      await assertTruthful(adapter, [key, other], answer)
    }
  },

  'rollback: a signal that aborts after the answer changes nothing': async ({ adapter }) => {
    const controller = new AbortController()
    const work = async (tx: unknown) => await put(adapter, tx, 'k', 1)
    assertApplied(await transact(adapter, 'k', ABSENT, work, { signal: controller.signal }))
    controller.abort()
    assert.equal((await readPresent(adapter, 'k')).value, 1)
  }
}
