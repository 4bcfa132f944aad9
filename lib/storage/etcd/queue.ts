import type { ReadOptions } from '../adapter.js'
import { Batcher } from '../kit/batcher.js'
import { inTime, type InTime } from '../kit/in-time.js'
import type { EtcdChange, EtcdOutcome, EtcdStore } from './store.js'
import type { EtcdKeyValue, RangeAnswer, RangeRequest } from './wire.js'

// A transaction has 128 operations at most, nested ones included (engine-facts#etcd-transaction-limits).
const SIZE = 64
// Of each kind of request (engine-facts#etcd-batch-rate).
const IN_FLIGHT = 4
// So that one half is prepared while etcd works on the other (engine-facts#etcd-batch-rate).
const HALVES_ABOVE = 16

/** An operation that waits to be sent. */
interface Waiting<I> extends InTime {
  readonly item: I
  readonly bytes: number
}

type Outcomes<R> = Array<PromiseSettledResult<R>>

/** How large a request may be, and how long an operation may wait until it is sent, in milliseconds. */
export interface EtcdQueueOptions { maxRequestBytes: number, timeout: number }

/** Sends the operations of one turn of the event loop together. */
export class EtcdQueue {
  readonly #writes: Batcher<Waiting<EtcdChange>, EtcdOutcome>
  /** Apart from the writes, because etcd takes removals when its quota is used up. */
  readonly #removals: Batcher<Waiting<EtcdChange>, EtcdOutcome>
  readonly #reads: Batcher<Waiting<RangeRequest>, EtcdKeyValue | undefined>
  /** One by one, because the answer to each may be as large as a whole page. */
  readonly #lists: Batcher<Waiting<RangeRequest>, RangeAnswer>
  readonly #timeout: number

  constructor (store: EtcdStore, { maxRequestBytes, timeout }: EtcdQueueOptions) {
    this.#timeout = timeout
    const crowd = { size: SIZE, inFlight: IN_FLIGHT, halvesAbove: HALVES_ABOVE }
    const changes = {
      ...crowd,
      // A key that is twice in a transaction loses an update (engine-facts#etcd-nested-compares-first).
      keyOf: ({ item }: Waiting<EtcdChange>) => item.key,
      ...inTime<Waiting<EtcdChange>, EtcdOutcome>('etcd', {
        run: async (changes) => await changeAll(store, changes, maxRequestBytes),
        // A change that is alone is a plain transaction (engine-facts#etcd-lone-write).
        runAlone: async ({ item }) => await store.change(item)
      })
    }
    this.#writes = new Batcher(changes)
    this.#removals = new Batcher(changes)
    this.#reads = new Batcher({
      ...crowd,
      ...inTime<Waiting<RangeRequest>, EtcdKeyValue | undefined>('etcd', {
        run: async (ranges) => await findAll(store, ranges),
        runAlone: async ({ item }) => (await store.range(item)).kvs?.[0]
      })
    })
    this.#lists = new Batcher({
      size: 1,
      inFlight: IN_FLIGHT,
      ...inTime<Waiting<RangeRequest>, RangeAnswer>('etcd', {
        run: async ([range]) => [await settled(store.range(range!.item))]
      })
    })
  }

  /** As `change` of the store. */
  async change (item: EtcdChange, bytes: number, options: ReadOptions | undefined): Promise<EtcdOutcome> {
    const batcher = item.marker === undefined ? this.#removals : this.#writes
    return await batcher.add({ item, bytes, options, deadline: this.#deadline() })
  }

  /** The key that a range of one key finds. */
  async find (item: RangeRequest, options: ReadOptions | undefined): Promise<EtcdKeyValue | undefined> {
    return await this.#reads.add({ item, bytes: 0, options, deadline: this.#deadline() })
  }

  /** The answer to a range of many keys. */
  async list (item: RangeRequest): Promise<RangeAnswer> {
    return await this.#lists.add({ item, bytes: 0, options: undefined, deadline: this.#deadline() })
  }

  /** Resolves when everything has an answer. */
  async idle (): Promise<void> {
    await Promise.all([this.#writes, this.#removals, this.#reads, this.#lists].map((batcher) => batcher.idle()))
  }

  #deadline (): number {
    return performance.now() + this.#timeout
  }
}

async function changeAll (
  store: EtcdStore, batch: ReadonlyArray<Waiting<EtcdChange>>, maxBytes: number
): Promise<Outcomes<EtcdOutcome>> {
  const outcomes = await Promise.all(partsOf(batch, maxBytes).map(async (changes) =>
    changes.length === 1 ? [await settled(store.change(changes[0]!))] : await store.changes(changes)
  ))
  return outcomes.flat()
}

async function findAll (
  store: EtcdStore, batch: ReadonlyArray<Waiting<RangeRequest>>
): Promise<Outcomes<EtcdKeyValue | undefined>> {
  const answers = await store.ranges(batch.map(({ item }) => item))
  return answers.map(({ kvs: [entry] = [] }) => ({ status: 'fulfilled', value: entry }))
}

async function settled<R> (promise: Promise<R>): Promise<PromiseSettledResult<R>> {
  return (await Promise.allSettled([promise]))[0]
}

/** The changes in their order, in parts of at most so many bytes. */
function partsOf (batch: ReadonlyArray<Waiting<EtcdChange>>, maxBytes: number): EtcdChange[][] {
  const parts: EtcdChange[][] = []
  let room = 0
  for (const { item, bytes } of batch) {
    room -= bytes
    if (room < 0) {
      parts.push([])
      room = maxBytes - bytes
    }
    parts.at(-1)!.push(item)
  }
  return parts
}
