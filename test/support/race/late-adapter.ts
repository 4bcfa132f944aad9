import type { StorageAdapter } from 'fastify-if-match'

/** The adapter, with `onWrite` called as each write begins. */
export function watchedAdapter (adapter: StorageAdapter, onWrite: () => void): StorageAdapter {
  return {
    ...adapter,
    write (key, value, expectation, options) {
      onWrite()
      return adapter.write(key, value, expectation, options)
    }
  }
}

/**
 * The adapter, in lockstep. `gate` opens when all requests of a round stand before it, so all their reads are taken
 * before any is answered: every request compares with the same state, and none sees the write of another. Their
 * writes begin together, too. A comparison apart from the write then lets all of them pass.
 *
 * @param isLate whether to wait at the gate now; if not, the adapter is as it is
 */
export function lateAdapter (
  adapter: StorageAdapter,
  isLate: () => boolean,
  gate: () => Promise<void>
): StorageAdapter {
  async function late<R> (step: () => Promise<R>): Promise<R> {
    if (!isLate()) return step()
    await gate()
    const result = await step()
    await gate()
    return result
  }
  return {
    ...adapter,
    read: (key, options) => late(() => adapter.read(key, options)),
    write: (key, value, expectation, options) => late(() => adapter.write(key, value, expectation, options)),
    remove: (key, expectation, options) => late(() => adapter.remove(key, expectation, options))
  }
}
