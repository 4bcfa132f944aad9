/** The operations of an adapter that are under way, so that its `close` can wait for them. */
export class UnderWay {
  #count = 0
  #whenIdle: Array<() => void> = []

  /** Carries out an operation, and counts it until it ends. */
  async run<R> (operation: () => Promise<R>): Promise<R> {
    this.#count++
    try {
      return await operation()
    } finally {
      if (--this.#count === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
    }
  }

  /** Resolves when none is under way. */
  async idle (): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => { this.#whenIdle.push(resolve) })
  }
}
