import type { Expectation, ReadOptions, RemoveExpectation, Stored, WriteOptions } from '../adapter.js'

/** A write with its new version, which can prove it later (engine-facts#any-engine-version-proves-write). */
export interface Write {
  key: string
  version: string
  json: string
  expectation: Expectation
  options: WriteOptions | undefined
}

/** The result of a write. Undefined: nothing matched, and nothing was changed. */
export type Applied = { applied: true, version: string, created: boolean } | undefined

/** The result of a removal. Undefined: nothing matched, and nothing was changed. */
export type Removed = { applied: true } | undefined

/** An entity of a listing. */
export type Listed<T> = Stored<T> & { key: string }

/** The operations on the table. They reject with errors of the contract. */
export interface EntityTable<T> {
  read (key: string, options?: ReadOptions): Promise<Stored<T> | undefined>
  /** @param attempt how often this write was tried, this time included */
  write (write: Write, attempt: number): Promise<Applied>
  remove (key: string, expectation: RemoveExpectation, options?: ReadOptions): Promise<Removed>
  /** At most `limit` entities, after the key `after`. */
  list (prefix: string, after: string, limit: number, options?: ReadOptions): Promise<Array<Listed<T>>>
}
