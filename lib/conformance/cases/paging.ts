import assert from 'node:assert/strict'
import type { StorageAdapter } from '../../storage/adapter.js'
import { assertApplied } from '../assert.js'
import { together } from '../callers.js'
import type { Cases } from '../harness.js'
import { create, EXISTS, keysOf, list } from '../steps.js'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

// The last two stand in one order by UTF-8 and in the other by UTF-16, and a page can end between them.
const names = ['a', 'b', 'c', 'd', 'e', '\ufffd', '\u{10000}']
const keys = names.map((name) => `notes/${name}`)

async function fill (adapter: StorageAdapter): Promise<void> {
  for (const key of ['mates/z', ...keys.toReversed(), 'otters/a']) await create(adapter, key, key)
}

export const pagingCases: Cases = {
  'paging: pages have every key once and in order, and only the last one has no next': async ({ adapter }) => {
    await fill(adapter)
    for (const limit of [1, 2, 3, 6, 7, 8, MAX_LIMIT]) {
      const seen: string[] = []
      const expectedPages = Math.ceil(keys.length / limit)
      let after: string | undefined
      for (let page = 1; page <= expectedPages; page++) {
        const { items, next } = await list(adapter, 'notes/', { after, limit })
        assert.ok(items.length <= limit)
        assert.equal(next !== undefined, page < expectedPages, `page ${page} of ${expectedPages} names the wrong next`)
        seen.push(...items.map(({ key }) => key))
        after = next
      }
      assert.deepEqual(seen, keys)
    }
  },

  'paging: after is exclusive, and need not be the key of an entity': async ({ adapter }) => {
    await fill(adapter)
    assert.deepEqual(await keysOf(adapter, 'notes/', { after: 'notes/e' }), keys.slice(5))
    assert.deepEqual(await keysOf(adapter, 'notes/', { after: 'notes/bb' }), keys.slice(2))
    assert.deepEqual(await keysOf(adapter, 'notes/', { after: 'notes/\uffff' }), keys.slice(6))
    assert.deepEqual(await keysOf(adapter, 'notes/', { after: 'mates/z' }), keys)
    assert.deepEqual(await keysOf(adapter, 'notes/', { after: keys.at(-1) }), [])
    assert.deepEqual(await keysOf(adapter, 'notes/', { after: 'otters/a' }), [])
  },

  'paging: continues after a key that was removed meanwhile': async ({ adapter }) => {
    await fill(adapter)
    const { next } = await list(adapter, 'notes/', { limit: 3 })
    assert.ok(next)
    assertApplied(await adapter.remove('notes/c', EXISTS))
    assert.deepEqual(await keysOf(adapter, 'notes/', { after: next }), keys.slice(3))
  },

  'paging: a page has 100 items by default': async ({ adapter }) => {
    await together(DEFAULT_LIMIT + 1, (caller) => create(adapter, `notes/${caller}`, caller))
    const first = await list(adapter, 'notes/')
    assert.equal(first.items.length, DEFAULT_LIMIT)
    const rest = await list(adapter, 'notes/', { after: first.next })
    assert.deepEqual({ items: rest.items.length, next: rest.next }, { items: 1, next: undefined })
  },

  'paging: a limit that is not a whole number from 1 to 1,000 is refused': async ({ adapter }) => {
    await fill(adapter)
    for (const limit of [1, MAX_LIMIT]) await list(adapter, 'notes/', { limit })
    for (const limit of [0, -1, 1.5, NaN, Infinity, MAX_LIMIT + 1, '10' as unknown as number]) {
      await assert.rejects(async () => await list(adapter, 'notes/', { limit }), `a limit of ${limit} was accepted`)
    }
  }
}
