/**
 * The entities that were absent when their transaction looked, and that it has not written yet. Nothing locks a row
 * that is not there: at READ COMMITTED, the row of another creation may show up by the time of the write, which must
 * not take it for its own. So the write of such an entity is an INSERT, which meets the unique key then.
 */
export class Creations {
  // The client of a transaction may be that of the next one, too.
  readonly #keys = new WeakMap<object, string>()

  /** Runs the work of a transaction that found no entity under the key. */
  async during<R> (tx: unknown, key: string, work: () => Promise<R>): Promise<R> {
    this.#keys.set(tx as object, key)
    try {
      return await work()
    } finally {
      this.#keys.delete(tx as object)
    }
  }

  /** Whether the write of this key in this transaction is the creation of its entity. */
  includes (tx: unknown, key: string): boolean {
    return this.#keys.get(tx as object) === key
  }

  /** Says that the transaction has created the entity. */
  delete (tx: unknown, key: string): void {
    if (this.includes(tx, key)) this.#keys.delete(tx as object)
  }
}
