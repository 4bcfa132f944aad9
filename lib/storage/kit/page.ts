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

/** A page of what was found, in order. Ask the engine for one item more than `limit`: it tells whether a page follows. */
export function pageOf<I extends { readonly key: string }> (
  found: readonly I[],
  limit: number
): { items: I[], next: string | undefined } {
  const items = found.slice(0, limit)
  return { items, next: found.length > limit ? items.at(-1)?.key : undefined }
}
