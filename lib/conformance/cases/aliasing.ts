import assert from 'node:assert/strict'
import { ABSENT, applied, create, present, refused, versionIn } from '../assert.js'
import { listing } from './list.js'
import type { Cases } from '../harness.js'

interface Note { tags: string[] }

function note (): Note {
  return { tags: ['original'] }
}

function scribble (value: unknown): void {
  (value as Note).tags.push('scribbled')
}

/** Values do not alias: what anyone does to an object of theirs never reaches the store. */
export const aliasingCases: Cases = {
  'aliasing: changing a value after it was written does not reach the store': async ({ adapter }) => {
    const value = note()
    await create(adapter, 'k', value)
    scribble(value)
    assert.deepEqual((await present(adapter, 'k')).value, note())
  },

  'aliasing: changing a value while its write is under way does not reach the store': async ({ adapter }) => {
    const value = note()
    const writing = adapter.write('k', value, ABSENT)
    scribble(value)
    applied(await writing)
    assert.deepEqual((await present(adapter, 'k')).value, note())
  },

  'aliasing: changing a value that was read does not reach the store': async ({ adapter }) => {
    await create(adapter, 'k', note())
    scribble((await present(adapter, 'k')).value)
    assert.deepEqual((await present(adapter, 'k')).value, note())
  },

  'aliasing: changing the current of a refused write does not reach the store': async ({ adapter }) => {
    await create(adapter, 'k', note())
    scribble(refused(await adapter.write('k', note(), ABSENT), ABSENT)?.value)
    assert.deepEqual((await present(adapter, 'k')).value, note())
  },

  'aliasing: changing the current of a refused removal does not reach the store': async ({ adapter }) => {
    await create(adapter, 'k', note())
    const expectation = versionIn('other')
    scribble(refused(await adapter.remove('k', expectation), expectation)?.value)
    assert.deepEqual((await present(adapter, 'k')).value, note())
  },

  'aliasing: the objects that come with a read are the reader\'s own': async ({ adapter }) => {
    const version = await create(adapter, 'k', note())
    const stored = await present(adapter, 'k')
    stored.version = 'scribbled'
    stored.value = 'scribbled'
    assert.equal((await present(adapter, 'k')).version, version)
    assert.deepEqual((await present(adapter, 'k')).value, note())
  }
}

export const listAliasingCases: Cases = {
  'aliasing: changing an item of a listing does not reach the store': async ({ adapter }) => {
    await create(adapter, 'notes/k', note())
    scribble((await listing(adapter, 'notes/')).items[0]?.value)
    assert.deepEqual((await present(adapter, 'notes/k')).value, note())
  }
}
