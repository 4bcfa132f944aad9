/** How operations travel together. */
export interface BatcherOptions<I, R> {
  /**
   * Carries out a batch, and says what became of each item, in their order. Resolves after the commit of the batch:
   * until then nobody learns anything, of a refusal neither, because it tells of rows that the batch changed (E12). If
   * it rejects, so does every item. It never repeats what may have been applied (E3).
   */
  run: (items: readonly I[]) => Promise<ReadonlyArray<PromiseSettledResult<R>>>
  /** How many items a batch has at most. */
  size: number
  /** How many batches may be under way at once; 1 by default. */
  inFlight?: number
  /**
   * The key of an item, for engines that carry out a batch as one statement: there a key that is twice in it loses an
   * update (E25, E54), so its second item waits for the next batch. Left out where items are carried out one by one.
   */
  keyOf?: (item: I) => string
}

interface Waiting<I, R> {
  readonly item: I
  readonly resolve: (result: R) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Gathers what arrives within one turn of the event loop into a batch, so that it shares one commit. Nothing waits for
 * a timer: on an idle server an item goes with the end of its own turn.
 */
export class Batcher<I, R> {
  readonly #options: BatcherOptions<I, R>
  #waiting: Array<Waiting<I, R>> = []
  #underWay = 0
  #isScheduled = false
  #whenIdle: Array<() => void> = []

  constructor (options: BatcherOptions<I, R>) {
    this.#options = options
  }

  /** Resolves or rejects with what became of the item. */
  add (item: I): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#schedule()
    })
  }

  /** Resolves when everything that was added has an answer. */
  idle (): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve)
      this.#tellIdle()
    })
  }

  #schedule (): void {
    if (this.#isScheduled || this.#waiting.length === 0 || this.#underWay === (this.#options.inFlight ?? 1)) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      void this.#carryOut(this.#take())
    })
  }

  #take (): Array<Waiting<I, R>> {
    const { size, keyOf } = this.#options
    if (keyOf === undefined) return this.#waiting.splice(0, size)
    const batch = new Map<string, Waiting<I, R>>()
    const left: Array<Waiting<I, R>> = []
    for (const entry of this.#waiting) {
      const key = keyOf(entry.item)
      if (batch.size < size && !batch.has(key)) batch.set(key, entry)
      else left.push(entry)
    }
    this.#waiting = left
    return [...batch.values()]
  }

  async #carryOut (batch: ReadonlyArray<Waiting<I, R>>): Promise<void> {
    this.#underWay++
    this.#schedule()
    try {
      const results = await this.#options.run(batch.map(({ item }) => item))
      for (const [at, { resolve, reject }] of batch.entries()) {
        const result = results[at]!
        if (result.status === 'fulfilled') resolve(result.value)
        else reject(result.reason)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#underWay--
    this.#schedule()
    this.#tellIdle()
  }

  #tellIdle (): void {
    if (this.#underWay > 0 || this.#waiting.length > 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
