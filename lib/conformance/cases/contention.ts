import assert from 'node:assert/strict'
import type { Expectation, RemoveResult, StorageAdapter, WriteResult } from '../../storage/adapter.js'
import { ABSENT, ANY, applied, create, EXISTS, present, refused, same, versionIn } from '../assert.js'
import type { Cases, Stage } from '../harness.js'

const WRITERS = 16

/** The adapters that the writers of a case share out among them. */
export type AdaptersOf = (stage: Stage) => Promise<readonly StorageAdapter[]>

// All calls start in one turn of the event loop: nobody can have an answer before everybody has asked.
async function together<R> (
  adapters: readonly StorageAdapter[],
  call: (adapter: StorageAdapter, writer: number) => Promise<R>
): Promise<R[]> {
  return await Promise.all(
    Array.from({ length: WRITERS }, (_, writer) => call(adapters[writer % adapters.length]!, writer))
  )
}

// Alternates at half the pace of the adapters, so that each of them gets calls of both roles.
function isRemover (writer: number): boolean {
  return (writer >> 1) % 2 === 1
}

/** Writers that want the same entity at the same moment (R57). */
export function contentionCases (where: string, adaptersOf: AdaptersOf): Cases {
  return {
    [`contention, ${where}: of writers with one version exactly one is applied, and the others are told the winner's (R57)`]:
      async (stage) => {
        const adapters = await adaptersOf(stage)
        const expectation = versionIn(await create(stage.adapter, 'k', 'base'))
        await oneWins(
          stage,
          expectation,
          await together(adapters, (adapter, writer) => adapter.write('k', { writer }, expectation))
        )
      },

    [`contention, ${where}: of creators exactly one is applied, and the others are told the winner's (R57)`]: async (
      stage
    ) => {
      await oneWins(
        stage,
        ABSENT,
        await together(await adaptersOf(stage), (adapter, writer) => adapter.write('k', { writer }, ABSENT))
      )
    },

    [`contention, ${where}: of removers exactly one is applied, and the others find nothing`]: async (stage) => {
      const adapters = await adaptersOf(stage)
      await create(stage.adapter, 'k', 'base')
      await oneWins(stage, EXISTS, await together(adapters, (adapter) => adapter.remove('k', EXISTS)))
    },

    [`contention, ${where}: of writers and removers with one version exactly one is applied (E54)`]: async (stage) => {
      const adapters = await adaptersOf(stage)
      const expectation = versionIn(await create(stage.adapter, 'k', 'base'))
      await oneWins(
        stage,
        expectation,
        await together(adapters, async (adapter, writer) =>
          isRemover(writer) ? await adapter.remove('k', expectation) : await adapter.write('k', { writer }, expectation)
        )
      )
    },

    [`contention, ${where}: creations and removals that race add up to what is there (E22)`]: async (stage) => {
      const adapters = await adaptersOf(stage)
      await create(stage.adapter, 'k', 'base')
      const changes = await together(adapters, async (adapter, writer) => {
        const expectation = isRemover(writer) ? EXISTS : ABSENT
        const result = isRemover(writer)
          ? await adapter.remove('k', EXISTS)
          : await adapter.write('k', { writer }, ABSENT)
        if (result.applied) return isRemover(writer) ? -1 : 1
        refused(result, expectation)
        return 0
      })
      const left = await stage.adapter.read('k')
      assert.equal(
        changes.reduce<number>((sum, change) => sum + change, 1),
        left === undefined ? 0 : 1
      )
    },

    [`contention, ${where}: writers that expect "exists" are all applied, each on top of another one`]: async (
      stage
    ) => {
      const adapters = await adaptersOf(stage)
      const base = await create(stage.adapter, 'k', 'base')
      await formOneChain(stage, adapters, [base], async (adapter, writer) =>
        applied(await adapter.write('k', { writer }, EXISTS))
      )
    },

    [`contention, ${where}: writers that expect nothing are all applied, and one of them creates`]: async (stage) => {
      const adapters = await adaptersOf(stage)
      const results = await formOneChain(stage, adapters, [], async (adapter, writer) =>
        applied(await adapter.write('k', { writer }, ANY))
      )
      assert.equal(results.filter((result) => result.created).length, 1)
    }
  }
}

// One call is applied; what is there now is its doing, and is what all the others are told.
async function oneWins (
  stage: Stage,
  expectation: Expectation,
  results: ReadonlyArray<WriteResult | RemoveResult>
): Promise<void> {
  assert.equal(results.filter((result) => result.applied).length, 1)
  const winner = results.findIndex((result) => result.applied)
  const won = applied(results[winner]!)
  const now = await stage.adapter.read('k')
  assert.deepEqual(
    now && { value: now.value, version: now.version },
    'version' in won ? { value: { writer: winner }, version: won.version } : undefined
  )
  for (const lost of results.filter((result) => !result.applied)) same(refused(lost, expectation), now)
}

// Each writer looks at once at what is there: if two of the versions seen replaced the same one, a write was lost.
async function formOneChain (
  stage: Stage,
  adapters: readonly StorageAdapter[],
  before: string[],
  write: (adapter: StorageAdapter, writer: number) => Promise<{ version: string, created: boolean }>
) {
  const successors = new Map<string | undefined, string>()
  const results = await together(adapters, async (adapter, writer) => {
    const result = await write(adapter, writer)
    const { version, replaced } = await present(adapter, 'k')
    assert.equal(successors.get(replaced) ?? version, version, 'two writes replaced the same version')
    successors.set(replaced, version)
    return result
  })
  const versions = [...before, ...results.map((result) => result.version)]
  assert.equal(new Set(versions).size, versions.length)
  for (const replaced of successors.keys()) { assert.ok(replaced === undefined ? before.length === 0 : versions.includes(replaced), `no write gave ${replaced}`) }
  const now = await present(stage.adapter, 'k')
  assert.deepEqual(now.value, { writer: results.findIndex((result) => result.version === now.version) })
  return results
}
