import assert from 'node:assert/strict'
import { assertApplied } from '../assert.js'
import type { Cases } from '../harness.js'
import { ABSENT, ANY, create, EXISTS, readPresent, versionIn } from '../steps.js'

// What an entity-tag may hold, without two characters: some recipients unescape the backslash (RFC 9110 8.8.3), and
// some split at the semicolon.
const ENTITY_TAG = /^[\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]+$/

const ROUNDS = 32

/** Versions are opaque, can be entity-tags, and are new with each write. */
export const versionCases: Cases = {
  'version: is visible ASCII without double quote, backslash and semicolon (RFC 9110 8.8.3)': async ({ adapter }) => {
    for (let round = 0; round < ROUNDS; round++) {
      assert.match(assertApplied(await adapter.write('k', round, ANY)).version, ENTITY_TAG)
      assert.match((await readPresent(adapter, 'k')).version, ENTITY_TAG)
    }
  },

  'version: a write answers with the version that reads give from then on': async ({ adapter }) => {
    for (const expectation of [ABSENT, EXISTS, ANY]) {
      const { version } = assertApplied(await adapter.write('k', expectation.kind, expectation))
      assert.equal((await readPresent(adapter, 'k')).version, version)
      assert.equal((await readPresent(adapter, 'k')).version, version)
    }
  },

  'version: every applied write issues a new one, whatever it expected (RFC 9110 8.8.1)': async ({ adapter }) => {
    const seen = new Set([await create(adapter, 'k', 0)])
    for (let round = 0; round < ROUNDS; round++) {
      const expectation = [EXISTS, ANY, versionIn((await readPresent(adapter, 'k')).version)][round % 3]!
      assertApplied(await adapter.write('k', round, expectation))
      const { version } = await readPresent(adapter, 'k')
      assert.ok(!seen.has(version), `a write that expects "${expectation.kind}" issued ${version} a second time`)
      seen.add(version)
    }
  },

  'version: writing the same content or earlier content again issues a new one': async ({ adapter }) => {
    const seen = new Set<string>()
    const contents = ['a', 'a', 'b', 'a', 'b']
    for (const content of contents) {
      await adapter.write('k', { content }, ANY, { digest: content })
      seen.add((await readPresent(adapter, 'k')).version)
    }
    assert.equal(seen.size, contents.length)
  }
}
