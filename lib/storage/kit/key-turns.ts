import { within } from './deadline.js'

/**
 * One change of a key at a time. Several would wait for one another on the server anyway, and each of them with a
 * connection of its own: a row that somebody has locked would take the whole pool.
 */
export class KeyTurns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Whether a change of the key is under way. */
  has (key: string): boolean {
    return this.#last.has(key)
  }

  /**
   * Starts the change when those ahead of it have settled.
   *
   * @param late the error if that takes longer: then it is never started
   */
  async take<R> (key: string, milliseconds: number, change: () => Promise<R>, late: () => Error): Promise<R> {
    const ahead = this.#last.get(key)
    let isGivenUp = false
    const started = (ahead ?? Promise.resolve()).then(() => isGivenUp ? undefined : { outcome: change() })
    const turn = started.then(async (own) => await own?.outcome).catch(() => {}).then(() => {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    })
    this.#last.set(key, turn)
    try {
      const own = ahead === undefined ? await started : await within(milliseconds, started, late)
      return await own!.outcome
    } catch (error) {
      isGivenUp = true
      throw error
    }
  }
}
