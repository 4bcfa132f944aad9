import type {
  Expectation,
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

/**
 * Measures for how long one request waits for the storage. Operations at the same time, or inside of others, count
 * once. It hands on the very promise of an operation, so nothing takes longer for being measured.
 */
export class StorageClock {
  #time = 0
  #writes: Map<string, number> | undefined
  #active = 0
  #since = 0

  /** Milliseconds, with those of what is under way. */
  get time (): number {
    return this.#active === 0 ? this.#time : this.#time + performance.now() - this.#since
  }

  /** How often a write to the entity of this key was sent. */
  attemptsOf (key: string | undefined): number {
    return key === undefined ? 0 : this.#writes?.get(key) ?? 0
  }

  /** @param since when the operation began */
  measure<R> (since: number, operation: Promise<R>): Promise<R> {
    if (this.#active++ === 0) this.#since = since
    const end = (): void => {
      if (--this.#active === 0) this.#time += performance.now() - this.#since
    }
    // An adapter may give no promise.
    Promise.resolve(operation).then(end, end)
    return operation
  }

  /** The same for a write, which is counted. */
  measureWrite<R> (since: number, key: string, operation: Promise<R>): Promise<R> {
    this.#writes ??= new Map()
    this.#writes.set(key, this.attemptsOf(key) + 1)
    return this.measure(since, operation)
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
