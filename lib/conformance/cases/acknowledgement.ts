import assert from 'node:assert/strict'
import { ABSENT, ANY, applied, create, EXISTS, present, refused, versionIn } from '../assert.js'
import { listing } from './list.js'
import type { Cases } from '../harness.js'

/** What an adapter answered is so, for every other adapter on the same data too (R60). */
export const acknowledgementCases: Cases = {
  'acknowledged: a write that was answered is what another adapter reads (R60)': async (stage) => {
    const another = await stage.another()
    for (let round = 0; round < 8; round++) {
      const [writer, reader] = round % 2 === 0 ? [stage.adapter, another] : [another, stage.adapter]
      const { version } = applied(await writer.write('k', { round }, ANY))
      const stored = await present(reader, 'k')
      assert.deepEqual({ value: stored.value, version: stored.version }, { value: { round }, version })
    }
  },

  'acknowledged: a removal that was answered is an absence to another adapter (R60)': async (stage) => {
    const another = await stage.another()
    await create(another, 'k', 1)
    await present(stage.adapter, 'k')
    applied(await another.remove('k', EXISTS))
    assert.equal(await stage.adapter.read('k'), undefined)
    assert.equal(refused(await stage.adapter.write('k', 2, EXISTS), EXISTS), undefined)
  },

  'acknowledged: a version from one adapter is good for a write through another': async (stage) => {
    const another = await stage.another()
    const version = await create(stage.adapter, 'k', 1)
    applied(await another.write('k', 2, versionIn(version)))
    assert.equal(refused(await stage.adapter.write('k', 3, versionIn(version)), versionIn(version))?.value, 2)
  },

  'acknowledged: another adapter refuses by what is there now, and says so': async (stage) => {
    const another = await stage.another()
    const { version } = applied(await stage.adapter.write('k', 1, ABSENT))
    assert.equal(refused(await another.write('k', 2, ABSENT), ABSENT)?.version, version)
  },

  'acknowledged: versions of two adapters are never the same': async (stage) => {
    const adapters = [stage.adapter, await stage.another()]
    const seen = new Set<string>()
    for (let round = 0; round < 32; round++) {
      const adapter = adapters[round % 2]!
      seen.add(await create(adapter, 'k', 'same'))
      applied(await adapter.remove('k', EXISTS))
    }
    assert.equal(seen.size, 32)
  }
}

export const listAcknowledgementCases: Cases = {
  'acknowledged: a write and a removal that were answered show in the listing of another adapter': async (stage) => {
    const another = await stage.another()
    await create(stage.adapter, 'notes/a', 1)
    await create(stage.adapter, 'notes/b', 2)
    assert.deepEqual((await listing(another, 'notes/')).items.map(({ key }) => key), ['notes/a', 'notes/b'])
    applied(await stage.adapter.remove('notes/a', EXISTS))
    assert.deepEqual((await listing(another, 'notes/')).items.map(({ key }) => key), ['notes/b'])
  }
}
