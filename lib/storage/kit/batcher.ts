/** How operations travel together. */
export interface BatcherOptions<I, R> {
  /**
   * Carries out a batch, and gives one outcome for each item, in their order. It resolves after the commit of the
   * batch: until then no item is answered, a refusal neither, because it tells of rows that the batch changed
   * (engine-facts#any-engine-answer-after-commit). If it rejects, so does every item.
   */
  run: (items: readonly I[]) => Promise<ReadonlyArray<PromiseSettledResult<R>>>
  /** The same for a batch of one, where that costs less. */
  runAlone?: (item: I) => Promise<R>
  /** How many items a batch has at most. */
  size: number
  /**
   * A batch of more items than this is at most half of those that wait or are in flight, so that one half is prepared
   * while the engine works on the other. Left out, a batch takes all that wait.
   */
  halvesAbove?: number
  /** How many batches are in flight at once, at most; 1 by default. */
  inFlight?: number
  /**
   * How long batches hold up the next one while they are in flight, in milliseconds. After that they do not count as in
   * flight any more. By default a batch counts until it is answered.
   */
  inFlightTimeout?: number
  /**
   * The key of an item, for engines that carry out a batch as one statement. There a key that is twice in a batch loses
   * an update (engine-facts#any-engine-key-once-per-batch), so its second item waits for the next batch. Left out where
   * items are carried out one by one.
   */
  keyOf?: (item: I) => string
  /**
   * Whether operations wait elsewhere whose callers may add items once they have their answers. Then a batch is sent
   * one turn later, and not later than that.
   */
  givesWay?: () => boolean
}

interface Waiting<I, R> {
  readonly item: I
  readonly resolve: (result: R) => void
  readonly reject: (reason: unknown) => void
}

type Batch<I, R> = ReadonlyArray<Waiting<I, R>>

/**
 * Gathers the items that arrive within one turn of the event loop into a batch, so that they share one commit. A batch
 * is sent at the end of the turn, or of the next one if it gives way: there is no timer
 * (engine-facts#any-engine-batch-per-turn).
 */
export class Batcher<I, R> {
  readonly #options: BatcherOptions<I, R>
  // The batches that count as in flight. A batch that held up others for too long is not among them, and has no answer
  // yet. A Set in place of the array would keep batches in memory that are over
  // (engine-facts#any-engine-set-of-batches).
  #inFlight: Array<Batch<I, R>> = []
  #waiting: Array<Waiting<I, R>> = []
  #unanswered = 0
  #holdTimer: NodeJS.Timeout | undefined
  #isScheduled = false
  #gaveWay = false
  #whenIdle: Array<() => void> = []

  constructor (options: BatcherOptions<I, R>) {
    this.#options = options
  }

  /** Whether an item waits to be sent. */
  get isWaiting (): boolean {
    return this.#waiting.length > 0
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
    if (this.#isScheduled || this.#waiting.length === 0) return
    if (this.#inFlight.length >= (this.#options.inFlight ?? 1)) {
      this.#boundHold()
      return
    }
    this.#isScheduled = true
    setImmediate(this.#sendNext)
  }

  readonly #sendNext = (): void => {
    this.#gaveWay = !this.#gaveWay && this.#options.givesWay?.() === true
    if (this.#gaveWay) {
      setImmediate(this.#sendNext)
      return
    }
    this.#isScheduled = false
    void this.#send(this.#take())
  }

  #take (): Array<Waiting<I, R>> {
    const { keyOf } = this.#options
    const size = this.#size()
    if (keyOf === undefined || this.#waiting.length === 1) return this.#waiting.splice(0, size)
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

  /** How many items the next batch may have. */
  #size (): number {
    const { size, halvesAbove = size } = this.#options
    const all = this.#inFlight.reduce((sum, batch) => sum + batch.length, this.#waiting.length)
    return Math.min(size, Math.max(halvesAbove, Math.ceil(all / 2)))
  }

  async #send (batch: Batch<I, R>): Promise<void> {
    this.#unanswered++
    this.#inFlight.push(batch)
    this.#schedule()
    try {
      const { run, runAlone } = this.#options
      if (batch.length === 1 && runAlone !== undefined) batch[0]!.resolve(await runAlone(batch[0]!.item))
      else settle(batch, await run(batch.map(({ item }) => item)))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#unanswered--
    this.#inFlight = this.#inFlight.filter((each) => each !== batch)
    this.#schedule()
    this.#tellIdle()
  }

  // The timer starts where something is held up, so that a lone caller needs none.
  #boundHold (): void {
    const { inFlightTimeout } = this.#options
    if (inFlightTimeout === undefined || this.#holdTimer !== undefined) return
    const holding = this.#inFlight.slice()
    this.#holdTimer = setTimeout(() => {
      this.#holdTimer = undefined
      this.#inFlight = this.#inFlight.filter((batch) => !holding.includes(batch))
      this.#schedule()
    }, inFlightTimeout)
  }

  #tellIdle (): void {
    if (this.#unanswered > 0 || this.#waiting.length > 0) return
    clearTimeout(this.#holdTimer)
    this.#holdTimer = undefined
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}

function settle<I, R> (batch: Batch<I, R>, outcomes: ReadonlyArray<PromiseSettledResult<R>>): void {
  for (const [index, { resolve, reject }] of batch.entries()) {
    const outcome = outcomes[index]!
    if (outcome.status === 'fulfilled') resolve(outcome.value)
    else reject(outcome.reason)
  }
}
