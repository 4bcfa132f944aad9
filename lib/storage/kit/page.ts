import type { Page } from '../adapter.js'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/**
 * The `limit` of a listing: how many items its page has at most. 100 where the caller gives none.
 *
 * @throws RangeError if the limit is not a whole number from 1 to 1,000: that is a mistake in the calling code
 * @example
 * const limit = pageLimit(options.limit)
 * const rows = await client.find(prefix, options.after, limit + 1)   // one more tells whether a page follows
 */
export function pageLimit (limit: number = DEFAULT_LIMIT): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new RangeError(`limit must be a whole number from 1 to ${MAX_LIMIT}`)
}

/** The page of the items that were found. One item more than `limit` tells that another page follows. */
export function pageOf<T> (found: Page<T>['items'], limit: number): Page<T> {
  const items = found.slice(0, limit)
  return { items, next: found.length > limit ? items.at(-1)?.key : undefined }
}
