const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/**
 * How many items a page has at most.
 *
 * @throws RangeError if the limit is not a whole number from 1 to 1,000: a mistake of the calling code
 */
export function pageLimit (limit: number = DEFAULT_LIMIT): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new RangeError(`limit must be a whole number from 1 to ${MAX_LIMIT}`)
}
