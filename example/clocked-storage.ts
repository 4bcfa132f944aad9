import type { ListingAdapter, ReadOptions, Stored } from 'fastify-if-match'

/**
 * A storage in which the clock is one more writer. Whoever reads or changes an entity first applies what has come due,
 * by compare-and-swap, so that content never changes under an unchanged tag (R14a), and processes and restarts agree
 * without a timer. It sits below the plugin, whose early comparison sees the same.
 *
 * @param due what a value is by now: the same object if nothing has come due
 */
export function clockedStorage<T> (storage: ListingAdapter<T>, due: (value: T) => T): ListingAdapter<T> {
  async function settled<S extends Stored<T>> (key: string, stored: S | undefined, options: ReadOptions | undefined): Promise<S | Stored<T> | undefined> {
    let current: S | Stored<T> | undefined = stored
    while (current !== undefined) {
      const value = due(current.value)
      if (value === current.value) return current
      const result = await storage.write(key, value, { kind: 'version', versions: [current.version] }, options)
      if (result.applied) return { value, version: result.version, replaced: current.version }
      current = result.current
    }
    return undefined
  }

  async function read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined> {
    return await settled(key, await storage.read(key, options), options)
  }

  return {
    ...storage,
    read,

    async write (key, value, expectation, options) {
      await read(key, options)
      const result = await storage.write(key, value, expectation, options)
      return result.applied ? result : { ...result, current: await settled(key, result.current, options) }
    },

    async remove (key, expectation, options) {
      await read(key, options)
      const result = await storage.remove(key, expectation, options)
      return result.applied ? result : { ...result, current: await settled(key, result.current, options) }
    },

    async list (prefix, options) {
      const { items, next } = await storage.list(prefix, options)
      const now = await Promise.all(items.map(async (item) => {
        const stored = await settled(item.key, item, options)
        return stored && { ...stored, key: item.key }
      }))
      return { items: now.filter((item) => item !== undefined), next }
    }
  }
}
