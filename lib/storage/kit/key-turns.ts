import { within } from './deadline.js'

/**
 * One change of a key at a time. Several would wait for one another on the server anyway, each on a connection of its
 * own: a single locked row would take the whole pool (engine-facts#postgres-batch-waits-for-locked-row).
 */
export class KeyTurns {
  // Of each key, the end of the last turn that was given out. It never rejects.
  readonly #last = new Map<string, Promise<void>>()

  /** Whether a change of the key has its turn, or waits for it. */
  has (key: string): boolean {
    return this.#last.has(key)
  }

  /**
   * Carries out a change in its turn, when the changes ahead of it have settled.
   *
   * @param timeout how long the change waits for its turn, in milliseconds
   * @param late makes the error if its turn does not come in time; the change is then never carried out
   */
  take<R> (key: string, timeout: number, change: () => Promise<R>, late: () => Error): Promise<R> {
    const ahead = this.#last.get(key)
    const changing = ahead === undefined ? change() : within(timeout, ahead, late).then(change)
    const end = changing.then(ignore, ignore)
    // A change that gave up ends its own turn, and those behind it still wait for those ahead.
    const last = ahead === undefined ? end : ahead.then(() => end)
    this.#last.set(key, last)
    void last.then(() => { this.#forget(key, last) })
    return changing
  }

  #forget (key: string, last: Promise<void>): void {
    if (this.#last.get(key) === last) this.#last.delete(key)
  }
}

function ignore (): void {}
