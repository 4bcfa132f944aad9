import type { Mutant } from '../engine.js'

/** What is wrong with listings. */
export const listingMutants: Mutant[] = [
  {
    adapter: 'orders keys by UTF-16 (E5)',
    flaw: () => ({ order: (a, b) => a < b ? -1 : 1, isBehind: (key, after) => key > after }),
    caughtBy: [
      'list: keys come in the order of their UTF-8 bytes (E5)',
      'list: the empty prefix lists everything',
      'paging: pages follow one another without gaps or doubles, and the last one says so (E5)',
      'paging: after is exclusive, and need not be a key that is there',
      'paging: goes on behind a key that was removed meanwhile'
    ]
  },
  {
    adapter: 'takes the prefix for a LIKE pattern',
    flaw: () => ({ isListed: (key, prefix) => likePattern(prefix).test(key) }),
    caughtBy: [
      'list: a prefix is text, whatever its characters mean elsewhere'
    ]
  },
  {
    adapter: 'lists without regard to case',
    flaw: () => ({ isListed: (key, prefix) => key.toLowerCase().startsWith(prefix.toLowerCase()) }),
    caughtBy: [
      'list: a collection has no entity of another one whose name begins alike, or differs in case'
    ]
  },
  {
    adapter: 'begins a page with the last item of the page before',
    flaw: () => ({ isBehind: (key, after) => key >= after }),
    caughtBy: [
      'paging: pages follow one another without gaps or doubles, and the last one says so (E5)',
      'paging: after is exclusive, and need not be a key that is there',
      'paging: a page has 100 items where no limit is given'
    ]
  },
  {
    adapter: 'names a next page whenever a page is full',
    flaw: () => ({ next: (keys, limit) => keys.length >= limit ? keys[limit - 1] : undefined }),
    caughtBy: [
      'paging: pages follow one another without gaps or doubles, and the last one says so (E5)'
    ]
  },
  {
    adapter: 'takes any limit',
    flaw: () => ({ limit: (limit = 100) => limit }),
    caughtBy: [
      'paging: a limit that is not a whole number from 1 to 1,000 is refused'
    ]
  },
  {
    adapter: 'has pages of 1,000 by default',
    flaw: () => ({ limit: (limit = 1000) => limit }),
    caughtBy: [
      'paging: a page has 100 items where no limit is given',
      'paging: a limit that is not a whole number from 1 to 1,000 is refused'
    ]
  },
  {
    adapter: 'has no list and does not say so',
    flaw: () => ({ wrap: ({ list, ...rest }) => rest }),
    caughtBy: [
      'factory: an adapter lists, or the suite is told "list: false"',
      'list: keys come in the order of their UTF-8 bytes (E5)',
      'list: an item is the key and all that a read gives',
      'list: where nothing is, the page is empty, and none follows',
      'list: a removed entity is gone, and one created anew is there once',
      'list: a collection has no entity of another one whose name begins alike, or differs in case',
      'list: a prefix is text, whatever its characters mean elsewhere',
      'list: the empty prefix lists everything',
      'list: a prefix may end anywhere, also where no key ends, and lists what is below too',
      'list: a prefix that ends in the highest character has an end as well',
      'paging: pages follow one another without gaps or doubles, and the last one says so (E5)',
      'paging: after is exclusive, and need not be a key that is there',
      'paging: goes on behind a key that was removed meanwhile',
      'paging: a page has 100 items where no limit is given',
      'aliasing: changing an item of a listing does not reach the store',
      'lifecycle: list returns a promise, also for what it refuses',
      'lifecycle: a signal that is already aborted stops a listing',
      'acknowledged: a write and a removal that were answered show in the listing of another adapter',
      'faults: while the engine is cut off, a listing rejects and is never empty (R59)'
    ]
  }
]

function likePattern (prefix: string): RegExp {
  const source = prefix.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('%', '.*').replaceAll('_', '.')
  return new RegExp(`^${source}`, 's')
}
