import assert from 'node:assert/strict'
import type { Expectation, RemoveResult, WriteResult } from '../../storage/adapter.js'
import { assertApplied, assertRefused, assertSame, type Outcome } from '../assert.js'
import { adaptersInTurn, together, type AdapterCount } from '../callers.js'
import type { Cases, Harness } from '../harness.js'
import { ABSENT, ANY, create, EXISTS, readPresent, versionIn } from '../steps.js'

const CALLERS = 16

// Changes at half the pace of the adapters, so that each adapter gets calls of both kinds.
function isRemover (caller: number): boolean {
  return (caller >> 1) % 2 === 1
}

/**
 * Callers that change the same entity at the same moment.
 *
 * @param keepsReplaced whether the adapter keeps `replaced`, by which a write that was lost shows
 */
export function contentionCases (count: AdapterCount, keepsReplaced: boolean): Cases {
  return {
    [`contention, ${count}: exactly one of the writers with one version is applied, and the others get its entity`]: async (
      harness
    ) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const expectation = versionIn(await create(harness.adapter, 'k', 'base'))
      const results = await together(CALLERS, (caller) => adapterOf(caller).write('k', { caller }, expectation))
      await assertOneWinner(harness, expectation, results)
    },

    [`contention, ${count}: exactly one of the creators is applied, and the others get its entity`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const results = await together(CALLERS, (caller) => adapterOf(caller).write('k', { caller }, ABSENT))
      await assertOneWinner(harness, ABSENT, results)
    },

    [`contention, ${count}: exactly one of the removers is applied, and the others find nothing`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await create(harness.adapter, 'k', 'base')
      const results = await together(CALLERS, (caller) => adapterOf(caller).remove('k', EXISTS))
      await assertOneWinner(harness, EXISTS, results)
    },

    [`contention, ${count}: exactly one of the writers and removers with one version is applied`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      const expectation = versionIn(await create(harness.adapter, 'k', 'base'))
      const results = await together<WriteResult | RemoveResult>(CALLERS, async (caller) =>
        isRemover(caller)
          ? await adapterOf(caller).remove('k', expectation)
          : await adapterOf(caller).write('k', { caller }, expectation)
      )
      await assertOneWinner(harness, expectation, results)
    },

    [`contention, ${count}: applied creations and removals add up to the stored state`]: async (harness) => {
      const adapterOf = await adaptersInTurn(harness, count)
      await create(harness.adapter, 'k', 'base')
      const changes = await together<number>(CALLERS, async (caller) => {
        const expectation = isRemover(caller) ? EXISTS : ABSENT
        const result = isRemover(caller)
          ? await adapterOf(caller).remove('k', EXISTS)
          : await adapterOf(caller).write('k', { caller }, ABSENT)
        if (result.applied) return isRemover(caller) ? -1 : 1
        assertRefused(result, expectation)
        return 0
      })
      const stored = await harness.adapter.read('k')
      assert.equal(changes.reduce((sum, change) => sum + change, 1), stored === undefined ? 0 : 1)
    },

    [`contention, ${count}: writers that expect "exists" are all applied, each on top of another one`]: async (
      harness
    ) => {
      const base = await create(harness.adapter, 'k', 'base')
      await assertOneChain(harness, count, keepsReplaced, EXISTS, [base])
    },

    [`contention, ${count}: writers that expect "any" are all applied, and exactly one creates`]: async (harness) => {
      const results = await assertOneChain(harness, count, keepsReplaced, ANY, [])
      assert.equal(results.filter((result) => result.created).length, 1)
    }
  }
}

/**
 * One call is applied, and its entity is stored; all the other calls are refused with that entity as current. Gives the
 * caller that was applied.
 */
export async function assertOneWinner (
  harness: Harness,
  expectation: Expectation,
  results: readonly Outcome[]
): Promise<number> {
  assert.equal(results.filter((result) => result.applied).length, 1)
  const winner = results.findIndex((result) => result.applied)
  const won = assertApplied(results[winner]!)
  const stored = await harness.adapter.read('k')
  assert.deepEqual(
    stored && { value: stored.value, version: stored.version },
    'version' in won && won.version !== undefined ? { value: { caller: winner }, version: won.version } : undefined
  )
  for (const lost of results.filter((result) => !result.applied)) assertSame(assertRefused(lost, expectation), stored)
  return winner
}

// All writers are applied, and each reads at once. If two of the versions read replaced the same one, a write was lost.
// Where the adapter does not tell what a write replaced, each must have a version of its own.
async function assertOneChain (
  harness: Harness,
  count: AdapterCount,
  keepsReplaced: boolean,
  expectation: Expectation,
  before: readonly string[]
) {
  const adapterOf = await adaptersInTurn(harness, count)
  const successors = new Map<string | undefined, string>()
  const results = await together(CALLERS, async (caller) => {
    const result = assertApplied(await adapterOf(caller).write('k', { caller }, expectation))
    const { version, replaced } = await readPresent(adapterOf(caller), 'k')
    if (!keepsReplaced) return result
    assert.equal(successors.get(replaced) ?? version, version, 'two writes replaced the same version')
    successors.set(replaced, version)
    return result
  })
  const versions = [...before, ...results.map((result) => result.version)]
  assert.equal(new Set(versions).size, versions.length)
  for (const replaced of successors.keys()) {
    const isKnown = replaced === undefined ? before.length === 0 : versions.includes(replaced)
    assert.ok(isKnown, `no write issued ${replaced}, which a write replaced`)
  }
  const stored = await readPresent(harness.adapter, 'k')
  assert.deepEqual(stored.value, { caller: results.findIndex((result) => result.version === stored.version) })
  return results
}
