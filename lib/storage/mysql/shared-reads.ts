import type { ReadOptions, Stored } from '../adapter.js'
import { Batcher } from '../kit/batcher.js'
import { inTime, type InTime } from '../kit/in-time.js'
import { throwIfStopped } from '../kit/stop.js'

// How many reads share a statement, how many of these are under way, and how long they hold up others, in milliseconds.
const SHARED = { size: 32, inFlight: 2, inFlightTimeout: 100 }

interface SharedRead extends InTime { readonly key: string }

/** How entities are read. */
export interface Reader<T> {
  one (key: string, options: ReadOptions | undefined): Promise<Stored<T> | undefined>
  /** Finds those that are there, and makes a new object for each caller, which owns it. */
  many (keys: readonly string[]): Promise<(key: string) => Stored<T> | undefined>
}

/** Reads of which those that arrive together share a statement (engine-facts#mysql-shared-reads). */
export class SharedReads<T> {
  readonly #timeout: number
  readonly #batcher: Batcher<SharedRead, Stored<T> | undefined>

  /** @param timeout how long a read waits behind others, in milliseconds. After that it is not sent any more */
  constructor (timeout: number, reader: Reader<T>) {
    this.#timeout = timeout
    this.#batcher = new Batcher({
      ...SHARED,
      ...inTime<SharedRead, Stored<T> | undefined>('MySQL', {
        async run (reads) {
          const find = await reader.many([...new Set(reads.map(({ key }) => key))])
          return reads.map(({ key }) => ({ status: 'fulfilled', value: find(key) }))
        },
        runAlone: ({ key, options }) => reader.one(key, options)
      })
    })
  }

  async read (key: string, options: ReadOptions | undefined): Promise<Stored<T> | undefined> {
    throwIfStopped(options)
    return await this.#batcher.add({ key, options, deadline: performance.now() + this.#timeout })
  }
}
