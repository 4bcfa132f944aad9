import type {
  Expectation,
  Refused,
  RemoveExpectation,
  RemoveResult,
  ReadOptions,
  StorageAdapter,
  Stored,
  TransactionResult,
  Work,
  WriteOptions,
  WriteResult
} from '../storage/adapter.js'

/** What one request did with one entity. */
export interface Step {
  /** How often a write was sent. */
  attempts: number
  /** The version that the last write left behind, once one was applied; without a version, that was a removal. */
  written: { readonly version: string | undefined } | undefined
}

type Result = { applied: true, version?: string | undefined } | Refused

/**
 * Measures for how long one request waits for the storage. Operations at the same time, or inside of others, count
 * once.
 */
export class StorageClock {
  /** Milliseconds. */
  time = 0
  readonly #steps = new Map<string, Step>()
  #active = 0
  #since = 0

  /** What was done with the entity of this key; undefined: nothing was sent. */
  stepOf (key: string | undefined): Step | undefined {
    return key === undefined ? undefined : this.#steps.get(key)
  }

  async measure<R> (operation: () => Promise<R>): Promise<R> {
    if (this.#active++ === 0) this.#since = performance.now()
    try {
      return await operation()
    } finally {
      if (--this.#active === 0) this.time += performance.now() - this.#since
    }
  }

  /** The same for a write, which is counted. */
  async measureWrite<R extends Result> (key: string, operation: () => Promise<R>): Promise<R> {
    let step = this.#steps.get(key)
    if (step === undefined) this.#steps.set(key, step = { attempts: 0, written: undefined })
    step.attempts++
    const result = await this.measure(operation)
    // What is no result is refused by whoever asked for it.
    if (result?.applied === true) step.written = { version: result.version }
    return result
  }
}

/** The storage of a request, timed. */
export function timedStorage (storage: StorageAdapter, clock: StorageClock): StorageAdapter {
  return storage.transaction === undefined ? new Timed(storage, clock) : new TimedWithTransactions(storage, clock)
}

class Timed implements StorageAdapter {
  constructor (readonly storage: StorageAdapter, readonly clock: StorageClock) {}

  read (key: string, options?: ReadOptions): Promise<Stored | undefined> {
    return this.clock.measure(() => this.storage.read(key, options))
  }

  write (key: string, value: unknown, expectation: Expectation, options?: WriteOptions): Promise<WriteResult> {
    return this.clock.measureWrite(key, () => this.storage.write(key, value, expectation, options))
  }

  remove (key: string, expectation: RemoveExpectation, options?: ReadOptions): Promise<RemoveResult> {
    return this.clock.measureWrite(key, () => this.storage.remove(key, expectation, options))
  }
}

class TimedWithTransactions extends Timed {
  transaction<R> (
    key: string,
    expectation: Expectation,
    work: Work<any, R>,
    options?: ReadOptions
  ): Promise<TransactionResult<any, R>> {
    return this.clock.measureWrite(key, () => this.storage.transaction!(key, expectation, work, options))
  }
}
