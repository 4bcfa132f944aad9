import assert from 'node:assert/strict'
import type { ListOptions, Page, StorageAdapter } from '../../storage/adapter.js'
import { applied, create, EXISTS, present, same } from '../assert.js'
import type { Cases } from '../harness.js'

/** A listing by an adapter that must be able to. */
export function listing (adapter: StorageAdapter, prefix: string, options?: ListOptions): Promise<Page> {
  assert.ok(adapter.list, 'the adapter has no list; if that is meant, say "list: false"')
  return adapter.list(prefix, options)
}

export async function keysOf (adapter: StorageAdapter, prefix: string, options?: ListOptions): Promise<string[]> {
  return (await listing(adapter, prefix, options)).items.map(({ key }) => key)
}

// Where the bytes of UTF-8 and the units of UTF-16, or a dictionary, disagree.
const names = [
  '\u{10000}',
  '\ufffd',
  '\u{1f600}',
  'b',
  'B',
  '\u00e9',
  'aa',
  'a',
  'a b',
  'a!',
  '~',
  '\u0001',
  '10',
  '9',
  '\ue000',
  '\u007f',
  '\u0080'
]

const odd = [
  '%',
  '_',
  '*',
  '?',
  '[x]',
  '[',
  '\\',
  '\\\\',
  '{',
  '}',
  "'",
  '"',
  '^',
  '$',
  '.',
  '+',
  '|',
  '(',
  '\u{10000}'
]

/** Listings of a collection: all keys up to and including the last slash. */
export const listCases: Cases = {
  'list: keys come in the order of their UTF-8 bytes (E5)': async ({ adapter }) => {
    for (const name of names) await create(adapter, `notes/${name}`, name)
    const expected = names.map((name) => `notes/${name}`).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    assert.deepEqual(await keysOf(adapter, 'notes/'), expected)
  },

  'list: an item is the key and all that a read gives': async ({ adapter }) => {
    await create(adapter, 'notes/a', { text: 'one' })
    applied(await adapter.write('notes/a', { text: 'two' }, EXISTS, { digest: 'd' }))
    await create(adapter, 'notes/b', null)
    const { items } = await listing(adapter, 'notes/')
    assert.deepEqual(items.map(({ key }) => key), ['notes/a', 'notes/b'])
    for (const item of items) same(item, await present(adapter, item.key))
  },

  'list: where nothing is, the page is empty, and none follows': async ({ adapter }) => {
    await create(adapter, 'others/a', 1)
    const { items, next } = await listing(adapter, 'notes/')
    assert.deepEqual({ items, next }, { items: [], next: undefined })
  },

  'list: a removed entity is gone, and one created anew is there once': async ({ adapter }) => {
    for (const name of ['a', 'b', 'c']) await create(adapter, `notes/${name}`, name)
    applied(await adapter.remove('notes/b', EXISTS))
    assert.deepEqual(await keysOf(adapter, 'notes/'), ['notes/a', 'notes/c'])
    await create(adapter, 'notes/b', 'anew')
    assert.deepEqual(await keysOf(adapter, 'notes/'), ['notes/a', 'notes/b', 'notes/c'])
  },

  'list: a collection has no entity of another one whose name begins alike, or differs in case': async ({ adapter }) => {
    for (const key of [
      'note/a',
      'notes/a',
      'notes',
      'notes2/a',
      'Notes/a',
      'NOTES/a',
      'anotes/a',
      'notes0/a',
      'notes./a'
    ]) { await create(adapter, key, key) }
    assert.deepEqual(await keysOf(adapter, 'notes/'), ['notes/a'])
  },

  'list: a prefix is text, whatever its characters mean elsewhere': async ({ adapter }) => {
    for (const collection of [...odd, 'x', 'xx', '']) await create(adapter, `n${collection}n/a`, collection)
    for (const collection of odd) assert.deepEqual(await keysOf(adapter, `n${collection}n/`), [`n${collection}n/a`])
  }
}

/** Listings by any prefix, for adapters that are not bound to collections. */
export const prefixCases: Cases = {
  'list: the empty prefix lists everything': async ({ adapter }) => {
    for (const key of ['a', 'b/c', 'b/c/d', '\u{10000}', '\ufffd']) await create(adapter, key, key)
    assert.deepEqual(await keysOf(adapter, ''), ['a', 'b/c', 'b/c/d', '\ufffd', '\u{10000}'])
  },

  'list: a prefix may end anywhere, also where no key ends, and lists what is below too': async ({ adapter }) => {
    for (const key of ['notes', 'notes/a', 'notes/ab', 'notes/ab/c', 'notes/b', 'note']) await create(adapter, key, key)
    assert.deepEqual(await keysOf(adapter, 'notes/a'), ['notes/a', 'notes/ab', 'notes/ab/c'])
    assert.deepEqual(await keysOf(adapter, 'notes'), ['notes', 'notes/a', 'notes/ab', 'notes/ab/c', 'notes/b'])
  },

  'list: a prefix that ends in the highest character has an end as well': async ({ adapter }) => {
    for (const key of ['\u{10ffff}', '\u{10ffff}a', '\u{10ffff}\u{10ffff}', '\u{10fffe}', '\uffff']) { await create(adapter, key, key) }
    assert.deepEqual(await keysOf(adapter, '\u{10ffff}'), ['\u{10ffff}', '\u{10ffff}a', '\u{10ffff}\u{10ffff}'])
  }
}
