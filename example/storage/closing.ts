import type { StorageAdapter } from 'fastify-if-match'

/** The adapter, which when it closes also closes the client that was made for it. */
export function closing (adapter: StorageAdapter, closeClient: () => unknown): StorageAdapter {
  return {
    ...adapter,
    async close () {
      await adapter.close?.()
      await closeClient()
    }
  }
}
