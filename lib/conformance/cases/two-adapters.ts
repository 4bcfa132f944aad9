import assert from 'node:assert/strict'
import { assertApplied, assertWriteRefused } from '../assert.js'
import type { Cases } from '../harness.js'
import { ABSENT, ANY, create, EXISTS, keysOf, readPresent, versionIn } from '../steps.js'

/** Two adapters on the same data: what one has answered, the other one sees. */
export const twoAdapterCases: Cases = {
  'two adapters: each reads the acknowledged writes of the other': async (harness) => {
    const another = await harness.another()
    for (let round = 0; round < 8; round++) {
      const [writer, reader] = round % 2 === 0 ? [harness.adapter, another] : [another, harness.adapter]
      const { version } = assertApplied(await writer.write('k', { round }, ANY))
      const stored = await readPresent(reader, 'k')
      assert.deepEqual({ value: stored.value, version: stored.version }, { value: { round }, version })
    }
  },

  'two adapters: one sees the acknowledged removals of the other': async (harness) => {
    const another = await harness.another()
    await create(another, 'k', 1)
    await readPresent(harness.adapter, 'k')
    assertApplied(await another.remove('k', EXISTS))
    assert.equal(await harness.adapter.read('k'), undefined)
    assert.equal(await assertWriteRefused(harness.adapter, 'k', 2, EXISTS), undefined)
  },

  'two adapters: one accepts the versions of the other': async (harness) => {
    const another = await harness.another()
    const version = await create(harness.adapter, 'k', 1)
    assertApplied(await another.write('k', 2, versionIn(version)))
    assert.equal((await assertWriteRefused(harness.adapter, 'k', 3, versionIn(version)))?.value, 2)
  },

  'two adapters: one refuses with the entity that the other wrote': async (harness) => {
    const another = await harness.another()
    const { version } = assertApplied(await harness.adapter.write('k', 1, ABSENT))
    assert.equal((await assertWriteRefused(another, 'k', 2, ABSENT))?.version, version)
  },

  'two adapters: one keeps working after the other was closed': async (harness) => {
    const another = await harness.another()
    await create(harness.adapter, 'k', 1)
    await harness.close(harness.adapter)
    assertApplied(await another.write('k', 2, EXISTS))
    assert.equal((await readPresent(another, 'k')).value, 2)
  }
}

export const twoAdapterListCases: Cases = {
  'two adapters: one lists the acknowledged writes of the other, and nothing that it removed': async (harness) => {
    const another = await harness.another()
    await create(harness.adapter, 'notes/a', 1)
    await create(harness.adapter, 'notes/b', 2)
    assert.deepEqual(await keysOf(another, 'notes/'), ['notes/a', 'notes/b'])
    assertApplied(await harness.adapter.remove('notes/a', EXISTS))
    assert.deepEqual(await keysOf(another, 'notes/'), ['notes/b'])
  }
}
