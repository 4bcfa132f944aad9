import {
  errorCodes,
  isIfMatchError,
  type ListingAdapter,
  type ReadOptions,
  type Refused,
  type Stored
} from 'fastify-if-match'
import { copyJson } from 'fastify-if-match/storage'

/**
 * A storage in which the clock is one more writer. Whoever reads or changes an entity first applies what has come due,
 * by compare-and-swap, so that content never changes under an unchanged tag (R14a), and processes and restarts agree
 * without a timer. It sits below the plugin, whose early comparison sees the same.
 *
 * @param due what a value is by now: the same object if nothing has come due
 */
export function clockedStorage<T> (storage: ListingAdapter<T>, due: (value: T) => T): ListingAdapter<T> {
  async function settled (
    key: string,
    stored: Stored<T> | undefined,
    options: ReadOptions | undefined
  ): Promise<Stored<T> | undefined> {
    let current = stored
    while (current !== undefined) {
      const value = due(current.value)
      if (value === current.value) return current
      const result = await transition(key, value, current.version, options)
      if (result.applied) return { value, version: result.version, replaced: current.version }
      current = result.current
    }
    return undefined
  }

  async function transition (key: string, value: T, version: string, options: ReadOptions | undefined) {
    try {
      // Without the digest, which is that of the caller's own write.
      return await storage.write(
        key,
        value,
        { kind: 'version', versions: [version] },
        options && { context: options.context, signal: options.signal }
      )
    } catch (error) {
      // Whatever became of it: what the caller asked for was certainly not done.
      if (isIfMatchError(error) && error.code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') { throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE({ cause: error }) }
      throw error
    }
  }

  async function read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined> {
    return await settled(key, await storage.read(key, options), options)
  }

  // Again where something came due in between: what stands in the way is told as it is by now, and it may be gone.
  async function change<R extends { applied: true }> (
    key: string,
    options: ReadOptions | undefined,
    act: () => Promise<R | Refused<T>>
  ): Promise<R | Refused<T>> {
    while (true) {
      await read(key, options)
      const result = await act()
      if (result.applied || result.current === undefined || due(result.current.value) === result.current.value) { return result }
    }
  }

  return {
    read,

    async write (key, value, expectation, options) {
      // Checked and copied before the first step, as the caller may change it while that is under way.
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
