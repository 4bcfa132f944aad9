import assert from 'node:assert/strict'
import { ANY, applied, create, EXISTS, present, refused, same, versionIn } from '../assert.js'
import type { Cases } from '../harness.js'

// The most entity-tags that the plugin takes from one header.
const MOST_VERSIONS = 256

function others (count: number): string[] {
  return Array.from({ length: count }, (_, at) => `other-${at}`)
}

/** Writes to an entity that is there. */
export const replaceCases: Cases = {
  'replace: the current version is applied, and nothing is called created (R6)': async ({ adapter }) => {
    const version = await create(adapter, 'k', { a: 1, b: 1 })
    assert.equal(applied(await adapter.write('k', { a: 2 }, versionIn(version))).created, false)
    assert.deepEqual((await present(adapter, 'k')).value, { a: 2 })
  },

  'replace: a version that was never issued is refused (R5)': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    const before = await present(adapter, 'k')
    for (const version of ['other', '0', '1', '', '*', '002', '+3', '9223372036854775808']) {
      same(refused(await adapter.write('k', 2, versionIn(version)), versionIn(version)), before)
    }
    same(await adapter.read('k'), before)
  },

  'replace: a version that was replaced since is refused (R5)': async ({ adapter }) => {
    const stale = await create(adapter, 'k', 1)
    applied(await adapter.write('k', 2, versionIn(stale)))
    const before = await present(adapter, 'k')
    same(refused(await adapter.write('k', 3, versionIn(stale)), versionIn(stale)), before)
    same(await adapter.read('k'), before)
  },

  'replace: a version of the entity that was removed and created anew is refused (R14)': async ({ adapter }) => {
    const stale = await create(adapter, 'k', 1)
    applied(await adapter.remove('k', versionIn(stale)))
    await create(adapter, 'k', 1)
    const before = await present(adapter, 'k')
    same(refused(await adapter.write('k', 2, versionIn(stale)), versionIn(stale)), before)
    same(await adapter.read('k'), before)
  },

  'replace: versions are compared octet by octet (R19)': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    const close = [
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
    for (const other of close.filter((other) => other !== version)) { refused(await adapter.write('k', 2, versionIn(other)), versionIn(other)) }
    assert.equal((await present(adapter, 'k')).version, version)
  },

  'replace: a list applies wherever in it the current version is (R34)': async ({ adapter }) => {
    let version = await create(adapter, 'k', 0)
    for (const [round, at] of [0, 1, 2].entries()) {
      version = applied(await adapter.write('k', round, versionIn(...others(2).toSpliced(at, 0, version)))).version
      assert.deepEqual((await present(adapter, 'k')).value, round)
    }
  },

  'replace: a list of 256 versions is as good as a short one': async ({ adapter }) => {
    const version = await create(adapter, 'k', 1)
    const without = versionIn(...others(MOST_VERSIONS))
    assert.equal(refused(await adapter.write('k', 2, without), without)?.version, version)
    applied(await adapter.write('k', 3, versionIn(...others(MOST_VERSIONS - 1), version)))
    assert.equal((await present(adapter, 'k')).value, 3)
  },

  'replace: a list without the current version is refused (R34)': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    const before = await present(adapter, 'k')
    const expectation = versionIn(...others(3))
    same(refused(await adapter.write('k', 2, expectation), expectation), before)
    same(await adapter.read('k'), before)
  },

  'replace: an empty list of versions never matches': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    const before = await present(adapter, 'k')
    same(refused(await adapter.write('k', 2, versionIn()), versionIn()), before)
    same(await adapter.read('k'), before)
  },

  'replace: "exists" is applied whatever the version, and nothing is called created (R34)': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    assert.equal(applied(await adapter.write('k', 2, EXISTS)).created, false)
    assert.equal((await present(adapter, 'k')).value, 2)
  },

  'replace: "any" is applied whatever the version, and nothing is called created': async ({ adapter }) => {
    await create(adapter, 'k', 1)
    assert.equal(applied(await adapter.write('k', 2, ANY)).created, false)
    assert.equal((await present(adapter, 'k')).value, 2)
  }
}
