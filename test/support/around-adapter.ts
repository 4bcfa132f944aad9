import type { ListingAdapter, StorageAdapter } from 'fastify-if-match'

/** A function that runs around an operation: it may wait before `step` or after it, or throw. */
export type Around = <R>(
  step: () => Promise<R>,
  operation: 'read' | 'write' | 'remove' | 'list',
  key: string
) => Promise<R>

/** The adapter, with something around each of its operations. */
export function aroundAdapter<T> (storage: StorageAdapter<T>, around: Around): ListingAdapter<T> {
  const adapter = storage as ListingAdapter<T>
  return {
    ...adapter,
    read: async (key, options) => await around(async () => await adapter.read(key, options), 'read', key),
    write: async (key, value, expectation, options) =>
      await around(async () => await adapter.write(key, value, expectation, options), 'write', key),
    remove: async (key, expectation, options) =>
      await around(async () => await adapter.remove(key, expectation, options), 'remove', key),
    list: async (prefix, options) => await around(async () => await adapter.list(prefix, options), 'list', prefix)
  }
}
