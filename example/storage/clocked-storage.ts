import { errorCodes, isIfMatchError } from 'fastify-if-match'
import {
  copyJson,
  type ListingAdapter,
  type ReadOptions,
  type Refused,
  type Stored,
  type WriteOptions
} from 'fastify-if-match/storage'

/**
 * A storage in which the clock is one more writer (decision 0011). Every operation first applies what has come due, by
 * compare-and-swap, so that content never changes under an unchanged tag (RFC 9110 8.8.1), and processes and restarts
 * agree without a timer. It sits below the plugin, whose early comparison therefore sees the same content.
 *
 * @param settle the value as it is by now: the same object if nothing has come due
 */
export function clockedStorage<T> (storage: ListingAdapter<T>, settle: (value: T) => T): ListingAdapter<T> {
  async function settled (
    key: string,
    stored: Stored<T> | undefined,
    options: ReadOptions | undefined
  ): Promise<Stored<T> | undefined> {
    let current = stored
    while (current !== undefined) {
      const value = settle(current.value)
      if (value === current.value) return current
      const result = await swap(key, value, current.version, options)
      if (result.applied) return { value, version: result.version, replaced: current.version }
      current = result.current
    }
    return undefined
  }

  async function swap (key: string, value: T, version: string, options: ReadOptions | undefined) {
    try {
      return await storage.write(key, value, { kind: 'version', versions: [version] }, withoutDigest(options))
    } catch (error) {
      // Applied or not: the operation that the caller asked for was certainly not carried out.
      const isUnknown = isIfMatchError(error) && error.code === 'FST_IF_MATCH_OUTCOME_UNKNOWN'
      throw isUnknown ? new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE({ cause: error }) : error
    }
  }

  async function read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined> {
    return await settled(key, await storage.read(key, withValue(options)), options)
  }

  // A refusal carries the entity as it is by now. If something came due in between, it is applied and the change is
  // tried again: what stood in its way may be gone.
  async function change<R extends { applied: true }> (
    key: string,
    options: ReadOptions | undefined,
    act: () => Promise<R | Refused<T>>
  ): Promise<R | Refused<T>> {
    while (true) {
      await read(key, options)
      const result = await act()
      if (result.applied || result.current === undefined) return result
      if (settle(result.current.value) === result.current.value) return result
    }
  }

  return {
    read,

    async write (key, value, expectation, options) {
      // Checked and copied before the first step: the caller may change the value while that step is under way.
      const own = copyJson(value)
      return await change(key, options, () => storage.write(key, own, expectation, options))
    },

    async remove (key, expectation, options) {
      return await change(key, options, () => storage.remove(key, expectation, options))
    },

    async list (prefix, options) {
      const { items, next } = await storage.list(prefix, options)
      const now = await Promise.all(items.map(async ({ key, ...stored }) => {
        const current = await settled(key, stored, options)
        return current && { ...current, key }
      }))
      return { items: now.filter((item) => item !== undefined), next }
    },

    async open () {
      await storage.open?.()
    },

    async close () {
      await storage.close?.()
    }
  }
}

/** The options of a read that needs the value: what has come due shows there alone. */
function withValue (options: ReadOptions | undefined): ReadOptions | undefined {
  return options?.unless === undefined ? options : ofRequest(options)
}

/** The options of an operation for the transition ahead of it. The digest belongs to the caller's own write. */
function withoutDigest (options: WriteOptions | undefined): ReadOptions | undefined {
  return options?.digest === undefined ? options : ofRequest(options)
}

/** The part of the options that is about the request. The signal is made when it is first looked at. */
function ofRequest (options: ReadOptions): ReadOptions {
  return {
    context: options.context,
    get signal () { return options.signal },
    ...options.isOver !== undefined && { isOver: () => options.isOver!() }
  }
}
