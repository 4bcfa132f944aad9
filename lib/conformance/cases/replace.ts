import assert from 'node:assert/strict'
import { assertApplied, assertSame, assertWriteRefused } from '../assert.js'
import type { Cases } from '../harness.js'
import { ANY, create, EXISTS, readPresent, versionIn } from '../steps.js'

// The plugin takes at most this many entity-tags from one header field.
const MAX_VERSIONS = 256

function otherVersions (count: number): string[] {
  return Array.from({ length: count }, (_, index) => `other-${index}`)
}

/** Writes to a key under which an entity is stored. */
export const replaceCases: Cases = {
  'replace: the current version is applied, and created is false': async ({ adapter }) => {
    const version = await create(adapter, 'k', { a: 1, b: 1 })
    assert.equal(assertApplied(await adapter.write('k', { a: 2 }, versionIn(version))).created, false)
    assert.deepEqual((await readPresent(adapter, 'k')).value, { a: 2 })
  },

  'replace: a version that was never issued is refused': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    const before = await readPresent(adapter, 'k')
    const versions = ['other', '0', '1', '', '*', '002', '+3', '9223372036854775808']
    for (const version of versions.filter((version) => version !== before.version)) {
      assertSame(await assertWriteRefused(adapter, 'k', 2, versionIn(version)), before)
    }
    assertSame(await adapter.read('k'), before)
  },

  'replace: a version that was replaced is refused': async ({ adapter }) => {
    const stale = await create(adapter, 'k', 1)
    assertApplied(await adapter.write('k', 2, versionIn(stale)))
    const before = await readPresent(adapter, 'k')
    assertSame(await assertWriteRefused(adapter, 'k', 3, versionIn(stale)), before)
    assertSame(await adapter.read('k'), before)
  },

  'replace: versions are compared character by character (RFC 9110 8.8.3.2)': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    const similar = [
      `${version}x`,
      version.slice(0, -1),
      ` ${version}`,
      `${version} `,
      `0${version}`,
      `+${version}`,
      `"${version}"`,
      `W/"${version}"`,
      version.toUpperCase(),
      version.toLowerCase()
    ]
    for (const other of similar.filter((other) => other !== version)) {
      await assertWriteRefused(adapter, 'k', 2, versionIn(other))
    }
    assert.equal((await readPresent(adapter, 'k')).version, version)
  },

  'replace: a list is applied if the current version is anywhere in it': async ({ adapter }) => {
    let version = await create(adapter, 'k', 0)
    for (const index of [0, 1, 2]) {
      const expectation = versionIn(...otherVersions(2).toSpliced(index, 0, version))
      version = assertApplied(await adapter.write('k', index, expectation)).version
      assert.deepEqual((await readPresent(adapter, 'k')).value, index)
    }
  },

  'replace: a list of 256 versions is compared to its end': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    const without = versionIn(...otherVersions(MAX_VERSIONS))
    assert.equal((await assertWriteRefused(adapter, 'k', 2, without))?.version, version)
    assertApplied(await adapter.write('k', 3, versionIn(...otherVersions(MAX_VERSIONS - 1), version)))
    assert.equal((await readPresent(adapter, 'k')).value, 3)
  },

  'replace: a list without the current version is refused': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    const before = await readPresent(adapter, 'k')
    assertSame(await assertWriteRefused(adapter, 'k', 2, versionIn(...otherVersions(3))), before)
    assertSame(await adapter.read('k'), before)
  },

  'replace: an empty list of versions is refused': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    const before = await readPresent(adapter, 'k')
    assertSame(await assertWriteRefused(adapter, 'k', 2, versionIn()), before)
    assertSame(await adapter.read('k'), before)
  },

  'replace: "exists" is applied whatever the version, and created is false': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    assert.equal(assertApplied(await adapter.write('k', 2, EXISTS)).created, false)
    assert.equal((await readPresent(adapter, 'k')).value, 2)
  },

  'replace: "any" is applied whatever the version, and created is false': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    assert.equal(assertApplied(await adapter.write('k', 2, ANY)).created, false)
    assert.equal((await readPresent(adapter, 'k')).value, 2)
  }
}
