import { setTimeout as delay } from 'node:timers/promises'
import type { Expectation, ListOptions, Page, ReadOptions, Refused, Stored } from '../adapter.js'
import { within } from '../kit/deadline.js'
import { compareKeys } from '../kit/key.js'
import { pageLimit } from '../kit/page.js'
import type { RedisExchange } from './exchange.js'
import { readError, writeError } from './faults.js'
import { collectionOf, type RedisNames } from './keys.js'
import { readCommandOf, readFactsCommandOf, readUnlessCallOf, storedOf, type Change } from './script.js'

// How long to look for a write whose answer was lost, in milliseconds: a connection that comes back is back sooner.
const PROOF_TIMEOUT = 1000
const PROOF_PAUSE = 25

/** The entities in Redis. */
export class RedisStore<T> {
  readonly #writes
  readonly #reads
  readonly #names

  /**
   * @param reads another exchange than `writes` where that waits for replicas: WAIT holds up all that comes behind it
   */
  constructor (writes: RedisExchange, reads: RedisExchange, names: RedisNames) {
    this.#writes = writes
    this.#reads = reads
    this.#names = names
  }

  /** @throws FST_IF_MATCH_STORAGE_UNAVAILABLE */
  async read (key: string, options: ReadOptions | undefined): Promise<Stored<T> | undefined> {
    try {
      return storedOf<T>(await this.#fieldsOf(this.#names.entity(key), options?.unless), options)
    } catch (error) {
      throw readError(error)
    }
  }

  /**
   * Writes, or removes if `write` is undefined.
   *
   * @throws FST_IF_MATCH_STORAGE_UNAVAILABLE, FST_IF_MATCH_OUTCOME_UNKNOWN
   */
  async change (
    key: string, expectation: Expectation, write?: Change['write']
  ): Promise<{ applied: true, created: boolean } | Refused<T>> {
    const [entity, index] = [this.#names.entity(key), this.#names.index(key)]
    try {
      const [done, ...fields] = await this.#writes.change({ entity, index, key, expectation, write })
      if (done !== 1) return { applied: false, current: storedOf<T>(fields) }
      return { applied: true, created: fields[0] === '' }
    } catch (error) {
      throw writeError(error)
    }
  }

  /**
   * Reads an entity after the answer to its write was lost, for a second at most: the connection has to come back
   * first. The read must be confirmed by as many replicas as the write.
   */
  async lookFor (key: string): Promise<Stored<T> | undefined> {
    const entity = this.#names.entity(key)
    const end = performance.now() + PROOF_TIMEOUT
    const late = (): Error => new Error('not in time')
    while (true) {
      try {
        const answer = this.#writes.askConfirmed(entity, readCommandOf(entity))
        return storedOf<T>(await within(end - performance.now(), answer, late))
      } catch (error) {
        if (performance.now() >= end) throw error
        await delay(PROOF_PAUSE)
      }
    }
  }

  /**
   * A page of a collection. It has fewer items where entities were removed between the look at the index and at them.
   *
   * @throws RangeError for a prefix that is no whole collection; FST_IF_MATCH_STORAGE_UNAVAILABLE
   */
  async list (prefix: string, { after, limit: most }: ListOptions): Promise<Page<T>> {
    const limit = pageLimit(most)
    const index = this.#names.index(prefix)
    if (index === undefined || collectionOf(prefix) !== prefix) {
      throw new RangeError('prefix must be a whole collection, that is end in a slash')
    }
    const from = after === undefined || compareKeys(after, prefix) < 0 ? '-' : `(${after}`
    const command = ['ZRANGEBYLEX', index, from, '+', 'LIMIT', '0', String(limit + 1)]
    try {
      const found = await this.#reads.ask(index, command) as string[]
      const keys = found.slice(0, limit)
      const fields = await Promise.all(keys.map((key) => this.#fieldsOf(this.#names.entity(key))))
      const stored = fields.map((each) => storedOf<T>(each))
      const items = keys.flatMap((key, position) => {
        const entity = stored[position]
        return entity === undefined ? [] : [Object.assign(entity, { key })]
      })
      // Not pageOf: the last key of the page may be that of an entity that was removed meanwhile.
      return { items, next: found.length > limit ? keys.at(-1) : undefined }
    } catch (error) {
      throw readError(error)
    }
  }

  #fieldsOf (entity: string, unless?: ReadOptions['unless']): Promise<unknown> {
    if (unless === undefined || unless.length === 0) return this.#reads.ask(entity, readCommandOf(entity))
    if (unless !== '*') return this.#reads.askScript(entity, readUnlessCallOf(entity, unless))
    return this.#reads.ask(entity, readFactsCommandOf(entity))
  }
}
