import assert from 'node:assert/strict'
import { assertApplied, assertJson, assertSame } from '../assert.js'
import type { Cases } from '../harness.js'
import { create, EXISTS, keysOf, list, readPresent } from '../steps.js'

// Dictionaries, and UTF-16, have another order than UTF-8.
const names = [
  '\u{10000}', '\ufffd', '\u{1f600}', 'b', 'B', '\u00e9', 'aa', 'a', 'a b', 'a!', '~', '\u0001', '10', '9', '\ue000',
  '\u007f', '\u0080'
]

// Patterns of SQL, globs and regular expressions give these a meaning.
const specialNames = [
  '%', '_', '*', '?', '[x]', '[', '\\', '\\\\', '{', '}', "'", '"', '^', '$', '.', '+', '|', '(', '\u{10000}'
]

/** Listings of a collection: all keys up to and including the last slash. */
export const listCases: Cases = {
  'list: keys are ordered by their UTF-8 bytes': async ({ adapter }) => {
    for (const name of names) await create(adapter, `notes/${name}`, name)
    const expected = names.map((name) => `notes/${name}`).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    assert.deepEqual(await keysOf(adapter, 'notes/'), expected)
  },

  'list: an item is the key and all that a read gives': async ({ adapter }) => {
    await create(adapter, 'notes/a', { text: 'one' })
    assertApplied(await adapter.write('notes/a', { text: 'two' }, EXISTS, { digest: 'd' }))
    await create(adapter, 'notes/b', null)
    const { items } = await list(adapter, 'notes/')
    assert.deepEqual(items.map(({ key }) => key), ['notes/a', 'notes/b'])
    for (const item of items) {
      assertSame(item, await readPresent(adapter, item.key))
      assertJson(item, item.value)
    }
  },

  'list: an empty collection gives an empty page, and no next': async ({ adapter }) => {
    await create(adapter, 'others/a', 1)
    const { items, next } = await list(adapter, 'notes/')
    assert.deepEqual({ items, next }, { items: [], next: undefined })
  },

  'list: a removed entity is not listed, and one created again is listed once': async ({ adapter }) => {
    for (const name of ['a', 'b', 'c']) await create(adapter, `notes/${name}`, name)
    assertApplied(await adapter.remove('notes/b', EXISTS))
    assert.deepEqual(await keysOf(adapter, 'notes/'), ['notes/a', 'notes/c'])
    await create(adapter, 'notes/b', 'again')
    assert.deepEqual(await keysOf(adapter, 'notes/'), ['notes/a', 'notes/b', 'notes/c'])
  },

  'list: collections whose names begin alike, or differ in case, are distinct': async ({ adapter }) => {
    const others = ['note/a', 'notes', 'notes2/a', 'Notes/a', 'NOTES/a', 'anotes/a', 'notes0/a', 'notes./a']
    for (const key of ['notes/a', ...others]) await create(adapter, key, key)
    assert.deepEqual(await keysOf(adapter, 'notes/'), ['notes/a'])
  },

  'list: no character of a prefix has a special meaning': async ({ adapter }) => {
    for (const name of [...specialNames, 'x', 'xx', '']) await create(adapter, `n${name}n/a`, name)
    for (const name of specialNames) assert.deepEqual(await keysOf(adapter, `n${name}n/`), [`n${name}n/a`])
  }
}

/** Listings by any prefix, for adapters that list more than collections. */
export const prefixCases: Cases = {
  'list: the empty prefix lists everything': async ({ adapter }) => {
    for (const key of ['a', 'b/c', 'b/c/d', '\u{10000}', '\ufffd']) await create(adapter, key, key)
    assert.deepEqual(await keysOf(adapter, ''), ['a', 'b/c', 'b/c/d', '\ufffd', '\u{10000}'])
  },

  'list: a prefix may end inside a key, and lists nested collections too': async ({ adapter }) => {
    for (const key of ['notes', 'notes/a', 'notes/ab', 'notes/ab/c', 'notes/b', 'note']) await create(adapter, key, key)
    assert.deepEqual(await keysOf(adapter, 'notes/a'), ['notes/a', 'notes/ab', 'notes/ab/c'])
    assert.deepEqual(await keysOf(adapter, 'notes'), ['notes', 'notes/a', 'notes/ab', 'notes/ab/c', 'notes/b'])
  },

  'list: a prefix that ends in U+10FFFF, the last character, lists all keys that begin with it': async ({ adapter }) => {
    const keys = ['\u{10ffff}', '\u{10ffff}a', '\u{10ffff}\u{10ffff}']
    for (const key of [...keys, '\u{10fffe}', '\uffff']) await create(adapter, key, key)
    assert.deepEqual(await keysOf(adapter, '\u{10ffff}'), keys)
  }
}
