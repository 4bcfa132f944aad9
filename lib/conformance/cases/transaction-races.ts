import assert from 'node:assert/strict'
import type { Expectation, Locked, StorageAdapter, TransactionResult } from '../../storage/adapter.js'
import { assertApplied, assertCode, assertRefused, type Outcome } from '../assert.js'
import { adaptersInTurn, allSettled, together, type AdapterCount } from '../callers.js'
import type { Cases, Harness } from '../harness.js'
import { linger, moment, turns, type Moment } from '../moments.js'
import { ABSENT, ANY, create, EXISTS, inside, put, readPresent, transact, valuesOf, versionIn } from '../steps.js'
import { assertOneWinner } from './contention.js'

const CALLERS = 32
const COUNTERS = 8
const ROUNDS = 8

/** Transactions, and what goes on beside them. */
export function transactionRaceCases (count: AdapterCount): Cases {
  return {
    [`transactions, ${count}: exactly one of those with one version is applied, and the works of the others leave nothing`]: async (
      harness
    ) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const expectation = versionIn(await create(harness.adapter, 'k', 'base'))
      await assertOneEffect(harness, expectation, (caller) => writeWithEffect(adapterOf(caller), expectation, caller))
    },

    [`transactions, ${count}: exactly one of those that create is applied, and the works of the others leave nothing`]: async (
      harness
    ) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await assertOneEffect(harness, ABSENT, (caller) => writeWithEffect(adapterOf(caller), ABSENT, caller))
    },

    [`transactions, ${count}: exactly one is applied of transactions, writes and removals with one version`]: async (
      harness
    ) => {
      const adapterOf = await adaptersInTurn(harness, count)
      for (const waits of [false, true]) await assertOneOfAllKinds(harness, adapterOf, waits)
    },

    [`transactions, ${count}: works under "exists" that raise a counter lose no step`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await create(harness.adapter, 'k', 0)
      await together(COUNTERS, async (caller) => assertApplied(await raise(adapterOf(caller), EXISTS)))
      assert.equal((await readPresent(harness.adapter, 'k')).value, COUNTERS)
    },

    [`transactions, ${count}: works under "any" that raise a counter lose no step, and exactly one creates it`]: async (
      harness
    ) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const results = await together(COUNTERS, async (caller) =>
        assertApplied(await raise(adapterOf(caller), ANY)))
      assert.equal((await readPresent(harness.adapter, 'k')).value, COUNTERS)
      assert.equal(results.filter((result) => result.created).length, 1)
      assert.equal(new Set(results.map((result) => result.version)).size, COUNTERS)
    },

    [`transactions, ${count}: compare-and-swap loops beside works that raise a counter lose no step`]: async (
      harness
    ) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await create(harness.adapter, 'k', 0)
      await together(COUNTERS, async (caller) => {
        const adapter = adapterOf(caller)
        if ((caller >> 1) % 2 === 0) assertApplied(await raise(adapter, EXISTS))
        else await swap(adapter)
      })
      assert.equal((await readPresent(harness.adapter, 'k')).value, COUNTERS)
    },

    [`transactions, ${count}: a write while a work runs comes before the whole transaction or after it`]: async (
      harness
    ) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await create(harness.adapter, 'k', 0)
      for (const round of [1, 2, 3]) {
        const hasRead = moment()
        const hasWritten = moment()
        const adapter = adapterOf(0)
        const transacting = transact(adapter, 'k', EXISTS, async (tx, locked) => {
          const value = (await locked.read())?.value
          hasRead.reach()
          await linger(locked, () => hasWritten.isReached)
          await put(adapter, tx, 'k', Number(value) + 1)
        })
        transacting.then(hasRead.reach, hasRead.reach)
        await hasRead.reached
        const writing = adapterOf(1).write('k', round * 1000, ANY).finally(hasWritten.reach)
        await allSettled([transacting, writing])
        assertApplied(await writing)
        const value = Number((await readPresent(harness.adapter, 'k')).value)
        assert.ok([0, 1].includes(value - round * 1000), `${value} is left, so the write of ${round * 1000} was lost`)
      }
    },

    [`transactions, ${count}: who sees one of the changes of a transaction sees all of them`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      for (const key of ['a', 'b', 'c', 'd']) await create(harness.adapter, key, 0)
      const isWritten = moment()
      const writing = async () => {
        for (let round = 1; round <= ROUNDS; round++) {
          // Otherwise readers of the same pace would look at the same point of each round.
          await turns(round)
          assertApplied(await transact(adapterOf(0), 'b', EXISTS, async (tx) => {
            for (const key of ['d', 'c', 'b', 'a']) {
              await put(adapterOf(0), tx, key, round)
              await turns(1)
            }
          }))
        }
      }
      // Each key is read after those before it, so its value is as new as theirs.
      const reading = async (...keys: string[]) => {
        while (!isWritten.isReached) {
          await turns(1)
          const values = await valuesOf(adapterOf(1), ...keys)
          const inOrder = values.map(Number).sort((a, b) => a - b)
          assert.deepEqual(values, inOrder, 'a part of a transaction was seen alone')
        }
      }
      const writer = writing().finally(isWritten.reach)
      await allSettled([writer, reading('a', 'd'), reading('d', 'a'), reading('d', 'c', 'b', 'a')])
    },

    [`transactions, ${count}: nobody sees a change that is rolled back`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await create(harness.adapter, 'k', 'base')
      await create(harness.adapter, 'removed', 'base')
      const error = new Error('of the app')
      const isChanged = moment()
      const isRead = moment()
      const failing = transact(adapterOf(0), 'k', EXISTS, async (tx, locked) => {
        await put(adapterOf(0), tx, 'k', 'changed')
        await put(adapterOf(0), tx, 'created', 'changed')
        assertApplied(await adapterOf(0).remove('removed', EXISTS, inside(tx)))
        isChanged.reach()
        await linger(locked, () => isRead.isReached)
        throw error
      })
      failing.then(isChanged.reach, isChanged.reach)
      await isChanged.reached
      const reading = valuesOf(adapterOf(1), 'k', 'created', 'removed').finally(isRead.reach)
      const [values, reason] = await Promise.all([reading, failing.catch((reason: unknown) => reason)])
      assert.equal(reason, error)
      assert.deepEqual(values, ['base', undefined, 'base'])
    },

    [`transactions, ${count}: two that take the same entities in opposite orders both end, each applied as a whole or not at all`]: async (
      harness
    ) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const orders = [['a', 'b'], ['b', 'a']] as const
      // Both at once: the engine then has two connections, and the race needs no new one.
      const hasCreated = [moment(), moment()]
      await allSettled(orders.map(async ([key], index) => {
        const adapter = adapterOf(index)
        assertApplied(await transact(adapter, key, ABSENT, async (tx, locked) => {
          await put(adapter, tx, key, 'base')
          await meet(hasCreated, index, locked)
        }))
      }))
      const hasBegun = [moment(), moment()]
      const answers = await Promise.allSettled(orders.map(async ([first, second], index) => {
        const adapter = adapterOf(index)
        return await transact(adapter, first, EXISTS, async (tx, locked) => {
          await put(adapter, tx, `by/${index}`, index)
          await put(adapter, tx, first, index)
          await meet(hasBegun, index, locked)
          await put(adapter, tx, second, index)
        })
      }))
      const [a, b] = await valuesOf(harness.adapter, 'a', 'b')
      assert.equal(a, b, 'a transaction is half applied')
      for (const answer of answers) {
        if (answer.status === 'fulfilled') assertApplied(answer.value)
        else assertCode(answer.reason, ['FST_IF_MATCH_CONTENTION'])
      }
      const applied = answers.flatMap(({ status }, index) => status === 'fulfilled' ? [index] : [])
      assert.ok(applied.includes(a as number), 'what is stored is not of a transaction that was applied')
      const marks = (await valuesOf(harness.adapter, 'by/0', 'by/1')).filter((mark) => mark !== undefined)
      assert.deepEqual(marks, applied, 'a transaction is half applied')
    }
  }
}

// A transaction that writes its entity, and creates another one beside it.
async function writeWithEffect (adapter: StorageAdapter, expectation: Expectation, caller: number): Promise<Outcome> {
  return await transact(adapter, 'k', expectation, async (tx) => {
    await put(adapter, tx, `effect/${caller}`, caller, ABSENT)
    await put(adapter, tx, 'k', { caller })
  })
}

// Those that are no transactions begin at once, or when the first work runs.
async function assertOneOfAllKinds (
  harness: Harness,
  adapterOf: (caller: number) => StorageAdapter,
  waits: boolean
): Promise<void> {
  const expectation = versionIn(assertApplied(await harness.adapter.write('k', 'base', ANY)).version)
  const isAtWork = moment()
  if (!waits) isAtWork.reach()
  const inTransaction = async (adapter: StorageAdapter, change: (tx: unknown) => Promise<unknown>) =>
    await transact(adapter, 'k', expectation, async (tx) => {
      isAtWork.reach()
      await change(tx)
    }).finally(isAtWork.reach)
  // Changes at half the pace of the adapters, so that each adapter gets calls of every kind.
  const results = await together<Outcome>(CALLERS, async (caller) => {
    const adapter = adapterOf(caller)
    const kind = (caller >> 1) % 4
    if (kind === 0) return await inTransaction(adapter, async (tx) => await put(adapter, tx, 'k', { caller }))
    if (kind === 1) return await inTransaction(adapter, async (tx) => await adapter.remove('k', EXISTS, inside(tx)))
    await isAtWork.reached
    if (kind === 2) return await adapter.write('k', { caller }, expectation)
    return await adapter.remove('k', expectation)
  })
  await assertOneWinner(harness, expectation, results)
}

// Two works wait for one another here, where they do not follow one another.
async function meet (moments: readonly Moment[], index: number, locked: Locked): Promise<void> {
  moments[index]!.reach()
  await linger(locked, () => moments.every(({ isReached }) => isReached))
}

async function assertOneEffect (
  harness: Harness,
  expectation: Expectation,
  call: (caller: number) => Promise<Outcome>
): Promise<void> {
  const winner = await assertOneWinner(harness, expectation, await together(CALLERS, call))
  const effects = await valuesOf(harness.adapter, ...Array.from({ length: CALLERS }, (_, caller) => `effect/${caller}`))
  assert.deepEqual(effects.filter((effect) => effect !== undefined), [winner])
}

async function raise (adapter: StorageAdapter, expectation: Expectation): Promise<TransactionResult> {
  return await transact(adapter, 'k', expectation, async (tx, locked) => {
    const value = (await locked.read())?.value ?? 0
    await put(adapter, tx, 'k', Number(value) + 1)
  })
}

// Each refusal means that another caller raised the counter, so there are no more attempts than callers.
async function swap (adapter: StorageAdapter, attempts: number = COUNTERS): Promise<void> {
  assert.ok(attempts > 0, 'a write was refused more often than others were applied')
  const { value, version } = await readPresent(adapter, 'k')
  const expectation = versionIn(version)
  const result = await adapter.write('k', Number(value) + 1, expectation)
  if (result.applied) return
  assert.ok(assertRefused(result, expectation), 'the counter is gone')
  await swap(adapter, attempts - 1)
}
