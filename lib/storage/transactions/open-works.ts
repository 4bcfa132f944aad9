/**
 * The entities whose works are running, by their transactions. What a work writes of its own entity, through the
 * adapter, is a part of one write: that of the whole transaction.
 */
export class OpenWorks {
  // The client of a transaction may be that of the next one, too.
  readonly #keys = new WeakMap<object, Set<string>>()

  /** Runs the work that is about the entity of this key. */
  async during<R> (tx: unknown, key: string, work: () => Promise<R>): Promise<R> {
    const keys = this.#keys.get(tx as object) ?? new Set()
    this.#keys.set(tx as object, keys.add(key))
    try {
      return await work()
    } finally {
      keys.delete(key)
    }
  }

  /** Whether a work about the entity of this key is running in the transaction. */
  include (tx: unknown, key: string): boolean {
    return this.#keys.get(tx as object)?.has(key) === true
  }
}
