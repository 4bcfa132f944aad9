import assert from 'node:assert/strict'
import type { StorageAdapter, Stored } from '../../storage/adapter.js'
import { assertApplied, assertJson, assertSame } from '../assert.js'
import { together } from '../callers.js'
import type { Cases } from '../harness.js'
import { ANY, create, EXISTS, readPresent, versionIn } from '../steps.js'

type Unless = '*' | readonly string[] | undefined

const impossible = ['', ' ', '"', '\\', '*', '0', '0.0', '1.1', 'W/"a"', '\0', '\u00e9', '\ud800', 'a'.repeat(4096)]

// Stores an entity with all members, and gives it and the version before it.
async function createFull (adapter: StorageAdapter, key: string): Promise<{ before: string, stored: Stored }> {
  const before = await create(adapter, key, { of: key, text: 'one' })
  assertApplied(await adapter.write(key, { of: key, text: 'two' }, EXISTS, { digest: `digest of ${key}` }))
  return { before, stored: await readPresent(adapter, key) }
}

// All but the value must be there. The value may be left out if the caller needs none; what is there must be right.
function assertSparing (actual: Stored | undefined, expected: Stored): void {
  assert.ok(actual, 'an entity that is stored reads as an absence')
  const { value, ...facts } = expected
  assertSame({ value: 'value' in actual ? actual.value : value, ...factsOf(actual) }, { value, ...facts })
  assertJson(actual, value)
}

// Not by a copy of the entity, which would ask for its value.
function factsOf ({ version, replaced, digest }: Stored): Omit<Stored, 'value'> {
  return { version, replaced, digest }
}

/** Reads whose caller needs no value of some versions. An adapter may leave the value out then, and must not else. */
export const unlessCases: Cases = {
  'unless: under other versions a read gives the whole entity': async ({ adapter }) => {
    const { before, stored } = await createFull(adapter, 'k')
    const { version } = stored
    const others = [before, 'other', `${version}0`, version.slice(0, -1), `${version} `, ` ${version}`, ...impossible]
    for (const unless of [[], others, ...others.map((other) => [other])]) {
      assertSame(await adapter.read('k', { unless }), stored)
    }
  },

  'unless: under "*" and under its version a read gives all but the value, and that is right or left out': async ({
    adapter
  }) => {
    const { before, stored } = await createFull(adapter, 'k')
    const { version } = stored
    for (const unless of ['*', [version], [before, ...impossible, version], [version, before]] as const) {
      assertSparing(await adapter.read('k', { unless }), stored)
    }
  },

  'unless: an entity that was never written, and one that was removed, is absent': async ({ adapter }) => {
    const version = await create(adapter, 'removed', 1)
    assertApplied(await adapter.remove('removed', EXISTS))
    for (const key of ['removed', 'never']) {
      for (const unless of ['*', [], [version]] as const) assert.equal(await adapter.read(key, { unless }), undefined)
    }
  },

  'unless: under the version before its last write, a read gives what that stored': async ({ adapter }) => {
    let { before, stored } = await createFull(adapter, 'k')
    for (const round of [1, 2, 3]) {
      before = stored.version
      assertSparing(await adapter.read('k', { unless: [before] }), stored)
      const { version } = assertApplied(await adapter.write('k', { round }, ANY))
      const { value, version: read } = (await adapter.read('k', { unless: [before] }))!
      assert.deepEqual({ value, version: read }, { value: { round }, version })
      stored = await readPresent(adapter, 'k')
    }
    assertApplied(await adapter.remove('k', EXISTS))
    await create(adapter, 'k', 'again')
    assert.equal((await adapter.read('k', { unless: [stored.version] }))?.value, 'again')
  },

  'unless: of reads that arrive together, each gives what its own caller needs': async ({ adapter }) => {
    const { stored: first, before } = await createFull(adapter, 'first')
    const { stored: second } = await createFull(adapter, 'second')
    const [one, two] = [first.version, second.version]
    const reads: Array<[of: Stored, unless: Unless]> = [
      [first, '*'], [first, undefined], [second, [two]], [first, [one]], [second, [one]], [first, [two]],
      [second, undefined], [second, '*'], [first, []], [first, [before]], [second, [two, one]]
    ]
    const answers = await together(reads.length, async (caller) => {
      const [of, unless] = reads[caller]!
      return await adapter.read(of === first ? 'first' : 'second', { unless })
    })
    for (const [caller, [of, unless]] of reads.entries()) {
      const isSpared = unless === '*' || unless?.includes(of.version) === true
      if (isSpared) assertSparing(answers[caller], of)
      else assertSame(answers[caller], of)
    }
  },

  'json: where an adapter gives it, it is the text of the value': async ({ adapter }) => {
    for (const value of [{ a: [1, 'two', null] }, null, 'text', [], 0, false, '\u2028"\\\ud800']) {
      assertApplied(await adapter.write('k', value, ANY))
      const stored = await readPresent(adapter, 'k')
      assertJson(stored, value)
      const result = await adapter.write('k', 1, versionIn('other'))
      if (!result.applied && result.current !== undefined) assertJson(result.current, value)
    }
  }
}
