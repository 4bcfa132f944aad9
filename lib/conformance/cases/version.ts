import assert from 'node:assert/strict'
import { ABSENT, ANY, applied, create, EXISTS, present, versionIn } from '../assert.js'
import type { Cases } from '../harness.js'

// An entity-tag without what old recipients unescape (R11) or take for a separator.
const ENTITY_TAG = /^[\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]+$/

const ROUNDS = 32

/** Versions are opaque, can be entity-tags, and never come back. */
export const versionCases: Cases = {
  'version: is visible ASCII without the double quote, the backslash and the semicolon (R8, R11)': async ({ adapter }) => {
    for (let round = 0; round < ROUNDS; round++) {
      assert.match(applied(await adapter.write('k', round, ANY)).version, ENTITY_TAG)
      assert.match((await present(adapter, 'k')).version, ENTITY_TAG)
    }
  },

  'version: a write answers with the version that reads give from then on': async ({ adapter }) => {
    for (const expectation of [ABSENT, EXISTS, ANY]) {
      const { version } = applied(await adapter.write('k', expectation.kind, expectation))
      assert.equal((await present(adapter, 'k')).version, version)
      assert.equal((await present(adapter, 'k')).version, version)
    }
  },

  'version: every applied write gives a new one, whatever it expected (R6)': async ({ adapter }) => {
    const seen = new Set([await create(adapter, 'k', 0)])
    for (let round = 0; round < ROUNDS; round++) {
      const expectation = [EXISTS, ANY, versionIn((await present(adapter, 'k')).version)][round % 3]!
      applied(await adapter.write('k', round, expectation))
      const { version } = await present(adapter, 'k')
      assert.ok(!seen.has(version), `${expectation.kind} brought ${version} a second time`)
      seen.add(version)
    }
  },

  'version: the same content, or content of earlier, gives a new one too (R16)': async ({ adapter }) => {
    const seen = new Set<string>()
    const contents = ['a', 'a', 'b', 'a', 'b']
    for (const content of contents) {
      await adapter.write('k', { content }, ANY, { digest: content })
      seen.add((await present(adapter, 'k')).version)
    }
    assert.equal(seen.size, contents.length)
  },

  'version: never comes back after the entity was removed and created anew (R14)': async ({ adapter }) => {
    const seen = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const created = await create(adapter, 'k', 'same')
      const replaced = applied(await adapter.write('k', 'same', EXISTS)).version
      for (const version of [created, replaced]) {
        assert.ok(!seen.has(version), `${version} came back`)
        seen.add(version)
      }
      applied(await adapter.remove('k', EXISTS))
    }
  }
}
