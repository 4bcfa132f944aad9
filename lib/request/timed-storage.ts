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
  written: { readonly version?: string | undefined } | undefined
}

type Result = { applied: true, version?: string | undefined } | Refused

/**
 * Measures for how long one request waits for the storage. Operations at the same time, or inside of others, count
 * once. It hands on the very promise of an operation, so nothing takes longer for being measured.
 */
export class StorageClock {
  /** Milliseconds. */
  time = 0
  #steps: Map<string, Step> | undefined
  #active = 0
  #since = 0

  /** What was done with the entity of this key; undefined: nothing was sent. */
  stepOf (key: string | undefined): Step | undefined {
    return key === undefined ? undefined : this.#steps?.get(key)
  }

  /** @param since when the operation began */
  measure<R> (since: number, operation: Promise<R>): Promise<R> {
    this.#begin(since)
    const end = (): void => { this.#end() }
    // An adapter may give no promise.
    Promise.resolve(operation).then(end, end)
    return operation
  }

  /** The same for a write, which is counted. */
  measureWrite<R extends Result> (since: number, key: string, operation: Promise<R>): Promise<R> {
    this.#begin(since)
    this.#steps ??= new Map()
    let step = this.#steps.get(key)
    if (step === undefined) this.#steps.set(key, step = { attempts: 0, written: undefined })
    step.attempts++
    Promise.resolve(operation).then((result) => {
      this.#end()
      // What is no result is refused by whoever asked for it.
      if (result?.applied === true) step.written = result
    }, () => { this.#end() })
    return operation
  }

  #begin (since: number): void {
    if (this.#active++ === 0) this.#since = since
  }

  #end (): void {
    if (--this.#active === 0) this.time += performance.now() - this.#since
  }
}

/** The storage of a request, timed. */
export function timedStorage (storage: StorageAdapter, clock: StorageClock): StorageAdapter {
  return storage.transaction === undefined ? new Timed(storage, clock) : new TimedWithTransactions(storage, clock)
}

class Timed implements StorageAdapter {
  constructor (readonly storage: StorageAdapter, readonly clock: StorageClock) {}

  read (key: string, options?: ReadOptions): Promise<Stored | undefined> {
    return this.clock.measure(performance.now(), this.storage.read(key, options))
  }

  write (key: string, value: unknown, expectation: Expectation, options?: WriteOptions): Promise<WriteResult> {
    return this.clock.measureWrite(performance.now(), key, this.storage.write(key, value, expectation, options))
  }

  remove (key: string, expectation: RemoveExpectation, options?: ReadOptions): Promise<RemoveResult> {
    return this.clock.measureWrite(performance.now(), key, this.storage.remove(key, expectation, options))
  }
}

class TimedWithTransactions extends Timed {
  transaction<R> (
    key: string,
    expectation: Expectation,
    work: Work<any, R>,
    options?: ReadOptions
  ): Promise<TransactionResult<any, R>> {
    return this.clock.measureWrite(
      performance.now(),
      key,
      this.storage.transaction!(key, expectation, work, options)
    )
  }
}
