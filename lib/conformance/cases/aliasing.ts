import assert from 'node:assert/strict'
import { assertApplied, assertRefused, assertRemovalRefused, assertWriteRefused } from '../assert.js'
import type { Cases } from '../harness.js'
import { ABSENT, create, EXISTS, list, put, readPresent, transact, versionIn } from '../steps.js'

interface Note { tags: string[] }

function note (): Note {
  return { tags: ['original'] }
}

function scribble (value: unknown): void {
  (value as Note).tags.push('scribbled')
}

/** Values do not alias: changing an object of the caller never changes the store. */
export const aliasingCases: Cases = {
  'aliasing: changing a value after its write leaves the store unchanged': async ({ adapter }) => {
    const value = note()
    await create(adapter, 'k', value)
    scribble(value)
    assert.deepEqual((await readPresent(adapter, 'k')).value, note())
  },

  'aliasing: changing a value during its write leaves the store unchanged': async ({ adapter }) => {
    const value = note()
    const writing = adapter.write('k', value, ABSENT)
    scribble(value)
    assertApplied(await writing)
    assert.deepEqual((await readPresent(adapter, 'k')).value, note())
  },

  'aliasing: changing a value that was read leaves the store unchanged': async ({ adapter }) => {
    await create(adapter, 'k', note())
    scribble((await readPresent(adapter, 'k')).value)
    assert.deepEqual((await readPresent(adapter, 'k')).value, note())
  },

  'aliasing: changing the current value of a refused write leaves the store unchanged': async ({ adapter }) => {
    await create(adapter, 'k', note())
    scribble((await assertWriteRefused(adapter, 'k', note(), ABSENT))?.value)
    assert.deepEqual((await readPresent(adapter, 'k')).value, note())
  },

  'aliasing: changing the current value of a refused removal leaves the store unchanged': async ({ adapter }) => {
    await create(adapter, 'k', note())
    scribble((await assertRemovalRefused(adapter, 'k', versionIn('other')))?.value)
    assert.deepEqual((await readPresent(adapter, 'k')).value, note())
  },

  'aliasing: changing the object that a read gave leaves the store unchanged': async ({ adapter }) => {
    const version = await create(adapter, 'k', note())
    const stored = await readPresent(adapter, 'k')
    stored.version = 'scribbled'
    stored.value = 'scribbled'
    assert.equal((await readPresent(adapter, 'k')).version, version)
    assert.deepEqual((await readPresent(adapter, 'k')).value, note())
  }
}

export const listAliasingCases: Cases = {
  'aliasing: changing an item of a listing leaves the store unchanged': async ({ adapter }) => {
    await create(adapter, 'notes/k', note())
    scribble((await list(adapter, 'notes/')).items[0]?.value)
    assert.deepEqual((await readPresent(adapter, 'notes/k')).value, note())
  }
}

export const transactionAliasingCases: Cases = {
  'aliasing: changing what a work wrote and read leaves the transaction and the store unchanged': async ({ adapter }) => {
    await create(adapter, 'k', null)
    assertApplied(await transact(adapter, 'k', EXISTS, async (tx, locked) => {
      const value = note()
      await put(adapter, tx, 'k', value)
      scribble(value)
      scribble((await locked.read())?.value)
      assert.deepEqual((await locked.read())?.value, note())
    }))
    assert.deepEqual((await readPresent(adapter, 'k')).value, note())
  },

  'aliasing: changing the current value of a refused transaction leaves the store unchanged': async ({ adapter }) => {
    await create(adapter, 'k', note())
    scribble(assertRefused(await transact(adapter, 'k', ABSENT, async () => {}), ABSENT)?.value)
    assert.deepEqual((await readPresent(adapter, 'k')).value, note())
  }
}
