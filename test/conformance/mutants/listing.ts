import type { Mutant } from '../mutant.js'

/** Adapters that are wrong about prefixes, order or pages. */
export const listingMutants: Mutant[] = [
  {
    adapter: 'orders keys by UTF-16',
    flaw: () => ({ compareKeys: (a, b) => a < b ? -1 : 1, isAfter: (key, after) => key > after }),
    caughtBy: [
      'list: keys are ordered by their UTF-8 bytes',
      'list: the empty prefix lists everything',
      'paging: pages have every key once and in order, and only the last one has no next',
      'paging: after is exclusive, and need not be the key of an entity',
      'paging: continues after a key that was removed meanwhile'
    ]
  },
  {
    adapter: 'takes the prefix for a LIKE pattern',
    flaw: () => ({ isListed: (key, prefix) => likePattern(prefix).test(key) }),
    caughtBy: ['list: no character of a prefix has a special meaning']
  },
  {
    adapter: 'lists without regard to case',
    flaw: () => ({ isListed: (key, prefix) => key.toLowerCase().startsWith(prefix.toLowerCase()) }),
    caughtBy: ['list: collections whose names begin alike, or differ in case, are distinct']
  },
  {
    adapter: 'begins a page with the last item of the page before',
    flaw: () => ({ isAfter: (key, after) => key >= after }),
    caughtBy: [
      'paging: pages have every key once and in order, and only the last one has no next',
      'paging: after is exclusive, and need not be the key of an entity',
      'paging: a page has 100 items by default'
    ]
  },
  {
    adapter: 'names a next page whenever a page is full',
    flaw: () => ({ next: (keys, limit) => keys.length >= limit ? keys[limit - 1] : undefined }),
    caughtBy: ['paging: pages have every key once and in order, and only the last one has no next']
  },
  {
    adapter: 'takes any limit',
    flaw: () => ({ pageLimit: (limit = 100) => limit }),
    caughtBy: ['paging: a limit that is not a whole number from 1 to 1,000 is refused']
  },
  {
    adapter: 'has pages of 1,000 by default',
    flaw: () => ({ pageLimit: (limit = 1000) => limit }),
    caughtBy: [
      'paging: a page has 100 items by default',
      'paging: a limit that is not a whole number from 1 to 1,000 is refused'
    ]
  },
  {
    adapter: 'has no list although the suite is told that it has',
    flaw: () => ({ wrap: ({ list, ...rest }) => rest }),
    caughtBy: [
      'subject: the option "list" agrees with the adapter',
      'list: keys are ordered by their UTF-8 bytes',
      'list: an item is the key and all that a read gives',
      'list: an empty collection gives an empty page, and no next',
      'list: a removed entity is not listed, and one created again is listed once',
      'list: collections whose names begin alike, or differ in case, are distinct',
      'list: no character of a prefix has a special meaning',
      'list: the empty prefix lists everything',
      'list: a prefix may end inside a key, and lists nested collections too',
      'list: a prefix that ends in U+10FFFF, the last character, lists all keys that begin with it',
      'paging: pages have every key once and in order, and only the last one has no next',
      'paging: after is exclusive, and need not be the key of an entity',
      'paging: continues after a key that was removed meanwhile',
      'paging: a page has 100 items by default',
      'paging: a limit that is not a whole number from 1 to 1,000 is refused',
      'aliasing: changing an item of a listing leaves the store unchanged',
      'lifecycle: list returns a promise, also for arguments that it refuses',
      'lifecycle: a listing with an aborted signal rejects',
      'context: a listing in one that the adapter cannot use is refused with INVALID_OPTIONS',
      'two adapters: one lists the acknowledged writes of the other, and nothing that it removed',
      'faults: during an outage a listing rejects, and is never empty'
    ]
  }
]

function likePattern (prefix: string): RegExp {
  const source = prefix.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('%', '.*').replaceAll('_', '.')
  return new RegExp(`^${source}`, 's')
}
