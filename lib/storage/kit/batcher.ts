/** How operations travel together. */
export interface BatcherOptions<I, R> {
  /**
   * Carries out a batch, and gives one outcome for each item, in their order. It resolves after the commit of the
   * batch: until then no item is answered, a refusal neither, because it tells of rows that the batch changed
   * (engine-facts#any-engine-answer-after-commit). If it rejects, so does every item.
   */
  run: (items: readonly I[]) => Promise<ReadonlyArray<PromiseSettledResult<R>>>
  /** How many items a batch has at most. */
  size: number
  /** How many batches are in flight at once, at most; 1 by default. */
  inFlight?: number
  /**
   * How long a batch counts as in flight, in milliseconds. After that the next one starts beside it. By default a batch
   * counts until it is answered.
   */
  inFlightTimeout?: number
  /**
   * The key of an item, for engines that carry out a batch as one statement. There a key that is twice in a batch loses
   * an update (engine-facts#any-engine-key-once-per-batch), so its second item waits for the next batch. Left out where
   * items are carried out one by one.
   */
  keyOf?: (item: I) => string
}

interface Waiting<I, R> {
  readonly item: I
  readonly resolve: (result: R) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Gathers the items that arrive within one turn of the event loop into a batch, so that they share one commit. A batch
 * is sent at the end of the turn: there is no timer (engine-facts#any-engine-batch-per-turn).
 */
export class Batcher<I, R> {
  readonly #options: BatcherOptions<I, R>
  #waiting: Array<Waiting<I, R>> = []
  #inFlight = 0
  #unanswered = 0
  #isScheduled = false
  #whenIdle: Array<() => void> = []

  constructor (options: BatcherOptions<I, R>) {
    this.#options = options
  }

  /** Resolves or rejects with the outcome of the item. */
  add (item: I): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#schedule()
    })
  }

  /** Resolves when every item that was added has an answer. */
  idle (): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve)
      this.#tellIdle()
    })
  }

  #schedule (): void {
    if (this.#isScheduled || this.#waiting.length === 0 || this.#inFlight === (this.#options.inFlight ?? 1)) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      void this.#send(this.#take())
    })
  }

  #take (): Array<Waiting<I, R>> {
    const { size, keyOf } = this.#options
    if (keyOf === undefined) return this.#waiting.splice(0, size)
    const batch = new Map<string, Waiting<I, R>>()
    const others: Array<Waiting<I, R>> = []
    for (const entry of this.#waiting) {
      const key = keyOf(entry.item)
      if (batch.size < size && !batch.has(key)) batch.set(key, entry)
      else others.push(entry)
    }
    this.#waiting = others
    return [...batch.values()]
  }

  async #send (batch: ReadonlyArray<Waiting<I, R>>): Promise<void> {
    this.#unanswered++
    const leave = this.#enterFlight()
    try {
      const outcomes = await this.#options.run(batch.map(({ item }) => item))
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index]!
        if (outcome.status === 'fulfilled') resolve(outcome.value)
        else reject(outcome.reason)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#unanswered--
    leave()
    this.#tellIdle()
  }

  // Counts a batch as in flight, until the timeout or until the function that it gives is called.
  #enterFlight (): () => void {
    const { inFlightTimeout } = this.#options
    let isInFlight = true
    const leave = () => {
      if (!isInFlight) return
      isInFlight = false
      clearTimeout(timer)
      this.#inFlight--
      this.#schedule()
    }
    const timer = inFlightTimeout === undefined ? undefined : setTimeout(leave, inFlightTimeout)
    this.#inFlight++
    this.#schedule()
    return leave
  }

  #tellIdle (): void {
    if (this.#unanswered > 0 || this.#waiting.length > 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
