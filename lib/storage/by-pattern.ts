import type { Expectation, ListOptions, Page, StorageAdapter, Work, WriteOptions } from './adapter.js'
import { assertNoFlaw } from './kit/flaws.js'
import { checkKey, compareKeys } from './kit/key.js'
import { pageLimit } from './kit/page.js'
import { InvalidOptionsError } from '../errors.js'
import { orderPatterns } from '../key/pattern-order.js'

const NAME = 'storageByPattern'

/**
 * Several adapters behind one plugin: hands each key to the adapter whose pattern it has. Contexts and options are
 * passed on as they are.
 *
 * - **Order**: a key that two patterns fit goes to the one that the router ranks first: `/orders/latest` before
 *   `/orders/:id`. Patterns between which no rank decides are refused.
 * - **A key that no pattern fits** is a mistake of the app, FST_IF_MATCH_INVALID_OPTIONS (500): a route without an
 *   adapter. The pattern `*` fits every key.
 * - **`list`** asks the adapters whose patterns can have keys with the prefix, and merges their pages. It is there if
 *   one of the adapters lists; FST_IF_MATCH_INVALID_OPTIONS for a prefix of one that does not. An adapter must not have
 *   keys of a pattern of another one.
 * - **`transaction`** is there if one of the adapters has it; FST_IF_MATCH_INVALID_OPTIONS for a key of one that has
 *   none.
 * - **`open` and `close`** call those of each adapter once, so give an adapter either to the plugin or to this
 *   function. If one fails to open, those that are open are closed. If one fails to close, the others are closed all
 *   the same.
 *
 * @param adapters by patterns in the syntax of Fastify's router, with the prefixes of plugins
 * @throws FST_IF_MATCH_INVALID_OPTIONS if there is no pattern, a value is no adapter, or patterns are ambiguous
 * @example
 * await app.register(ifMatch, { storage: storageByPattern({ '/orders/:id': orders, '/stock/:id': stock }) })
 */
export function storageByPattern (adapters: Readonly<Record<string, StorageAdapter<any>>>): StorageAdapter<any> {
  const patterns = Object.keys(Object(adapters) as object)
  assertNoFlaw(NAME, [
    [patterns.length === 0, 'pass an object with a storage adapter for each pattern.'],
    ...patterns.map((pattern) =>
      [!isAdapter(adapters[pattern]), `"${pattern}" must have a storage adapter.`] as const)
  ])
  const places = ordered(patterns).map((place) => ({ ...place, adapter: adapters[place.pattern]! }))
  const all = [...new Set(places.map(({ adapter }) => adapter))]

  function placeOf (key: string) {
    checkKey(key)
    const place = places.find(({ fits }) => fits(key))
    if (place === undefined) throw noPattern('the key of the entity')
    return place
  }

  function adapterOf (key: string): StorageAdapter<any> {
    return placeOf(key).adapter
  }

  function noPattern (what: string): Error {
    const names = patterns.map((pattern) => `"${pattern}"`).join(', ')
    return new InvalidOptionsError(NAME, `${what} fits none of its patterns, ${names}. Add that of the route.`)
  }

  async function list (prefix: string, options: ListOptions = {}): Promise<Page<any>> {
    const limit = pageLimit(options.limit)
    const found = places.filter(({ beginning }) => beginning.startsWith(prefix) || prefix.startsWith(beginning))
    if (found.length === 0) throw noPattern('the prefix of the listing')
    const unable = found.find(({ adapter }) => adapter.list === undefined)
    if (unable !== undefined) throw unableTo('list', unable.pattern)
    const listing = [...new Set(found.map(({ adapter }) => adapter))]
    return merged(await Promise.all(listing.map((adapter) => adapter.list!(prefix, options))), limit)
  }

  async function transaction<R> (key: string, expectation: Expectation, work: Work<any, R>, options?: WriteOptions) {
    const { adapter, pattern } = placeOf(key)
    if (adapter.transaction === undefined) throw unableTo('run transactions', pattern)
    return await adapter.transaction(key, expectation, work, options)
  }

  return {
    read: async (key, options) => await adapterOf(key).read(key, options),
    write: async (key, value, expectation, options) => await adapterOf(key).write(key, value, expectation, options),
    remove: async (key, expectation, options) => await adapterOf(key).remove(key, expectation, options),
    ...all.some(({ list }) => list !== undefined) && { list },
    ...all.some(({ transaction }) => transaction !== undefined) && { transaction },

    async open () {
      const opened: StorageAdapter[] = []
      try {
        for (const adapter of all) {
          await adapter.open?.()
          opened.push(adapter)
        }
      } catch (error) {
        await Promise.allSettled(opened.map(close)) // the error that the app should see is that of the opening
        throw error
      }
    },

    async close () {
      const results = await Promise.allSettled(all.map(close))
      const failed = results.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  }
}

async function close (adapter: StorageAdapter): Promise<void> {
  await adapter.close?.()
}

function ordered (patterns: readonly string[]) {
  try {
    return orderPatterns(patterns)
  } catch (error) {
    throw new InvalidOptionsError(NAME, `${(error as Error).message}.`)
  }
}

function isAdapter (value: unknown): boolean {
  const { read, write, remove } = Object(value) as Record<string, unknown>
  return [read, write, remove].every((operation) => typeof operation === 'function')
}

function unableTo (what: string, pattern: string): Error {
  return new InvalidOptionsError(NAME, `the adapter of "${pattern}" cannot ${what}.`)
}

// A page says nothing about the keys behind its `next`: what another page has there comes later.
function merged (pages: ReadonlyArray<Page<any>>, limit: number): Page<any> {
  const next = pages.flatMap((page) => page.next ?? []).sort(compareKeys)[0]
  const items = pages.flatMap((page) => page.items)
    .filter(({ key }) => next === undefined || compareKeys(key, next) <= 0)
    .sort((one, other) => compareKeys(one.key, other.key))
  if (items.length <= limit) return { items, next }
  return { items: items.slice(0, limit), next: items[limit - 1]!.key }
}
