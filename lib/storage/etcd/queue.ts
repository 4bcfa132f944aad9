import { StorageUnavailableError } from '../../errors.js'
import type { ReadOptions } from '../adapter.js'
import { Batcher } from '../kit/batcher.js'
import type { EtcdChange, EtcdOutcome, EtcdStore } from './store.js'
import type { EtcdKeyValue, RangeAnswer, RangeRequest } from './wire.js'
import { throwIfStopped } from '../kit/stop.js'

// A transaction has at most 128 operations in all (E53).
const SIZE = 64
const IN_FLIGHT = 4

/** An operation on its way, and what may stop it. */
interface Waiting<I> {
  readonly item: I
  readonly bytes: number
  readonly options: ReadOptions | undefined
  readonly until: number
}

/** How large a request may be, and how long an operation may wait until it is sent, in milliseconds. */
export interface EtcdQueueOptions { maxRequestBytes: number, timeout: number }

/** Sends what arrives within one turn of the event loop together. */
export class EtcdQueue {
  readonly #writes: Batcher<Waiting<EtcdChange>, EtcdOutcome>
  // Apart, because a quota that is used up lets them through.
  readonly #removals: Batcher<Waiting<EtcdChange>, EtcdOutcome>
  readonly #reads: Batcher<Waiting<RangeRequest>, EtcdKeyValue | undefined>
  // Each may be as large as a whole page.
  readonly #lists: Batcher<Waiting<RangeRequest>, RangeAnswer>
  readonly #timeout: number

  constructor (store: EtcdStore, { maxRequestBytes: maxBytes, timeout }: EtcdQueueOptions) {
    this.#timeout = timeout
    const changes = () =>
      new Batcher<Waiting<EtcdChange>, EtcdOutcome>({
        size: SIZE,
        inFlight: IN_FLIGHT,
        keyOf: ({ item }) => item.key,
        run: (waiting) =>
          settled(waiting, async (unstopped) =>
            (await Promise.all(parts(unstopped, maxBytes).map((part) => changed(store, part)))).flat()
          )
      })
    this.#writes = changes()
    this.#removals = changes()
    this.#reads = new Batcher({
      size: SIZE,
      inFlight: IN_FLIGHT,
      run: (waiting) => settled(waiting, async (unstopped) => await found(store, unstopped))
    })
    this.#lists = new Batcher({
      size: 1,
      inFlight: IN_FLIGHT,
      run: (waiting) =>
        settled(waiting, async (unstopped) => await Promise.allSettled(unstopped.map(({ item }) => store.range(item))))
    })
  }

  /** As `change` of the store. */
  async change (item: EtcdChange, bytes: number, options: ReadOptions | undefined): Promise<EtcdOutcome> {
    return await (item.marker === undefined ? this.#removals : this.#writes).add({
      item,
      bytes,
      options,
      until: this.#until()
    })
  }

  /** What a range of one key finds. */
  async find (item: RangeRequest, options: ReadOptions | undefined): Promise<EtcdKeyValue | undefined> {
    return await this.#reads.add({ item, bytes: 0, options, until: this.#until() })
  }

  /** What a range of many keys finds. */
  async list (item: RangeRequest): Promise<RangeAnswer> {
    return await this.#lists.add({ item, bytes: 0, options: undefined, until: this.#until() })
  }

  #until (): number {
    return performance.now() + this.#timeout
  }

  /** Resolves when everything has an answer. */
  async idle (): Promise<void> {
    await Promise.all([this.#writes, this.#removals, this.#reads, this.#lists].map((batcher) => batcher.idle()))
  }
}

async function changed (
  store: EtcdStore,
  changes: readonly EtcdChange[]
): Promise<Array<PromiseSettledResult<EtcdOutcome>>> {
  return changes.length === 1 ? await Promise.allSettled([store.change(changes[0]!)]) : await store.changes(changes)
}

async function found (
  store: EtcdStore,
  ranges: ReadonlyArray<Waiting<RangeRequest>>
): Promise<Array<PromiseSettledResult<EtcdKeyValue | undefined>>> {
  const requests = ranges.map(({ item }) => item)
  const answers = requests.length === 1 ? [await store.range(requests[0]!)] : await store.ranges(requests)
  return answers.map(({ kvs: [entry] = [] }) => ({ status: 'fulfilled', value: entry }))
}

// What was stopped while it waited, or waited for too long, is not sent, and its neighbours are.
async function settled<I, R> (
  waiting: ReadonlyArray<Waiting<I>>,
  send: (unstopped: ReadonlyArray<Waiting<I>>) => Promise<Array<PromiseSettledResult<R>>>
): Promise<Array<PromiseSettledResult<R>>> {
  const stops = await Promise.allSettled(
    waiting.map(async ({ options, until }) => {
      throwIfStopped(options)
      if (performance.now() > until) {
        throw new StorageUnavailableError({
          cause: new Error('etcd: it waited for longer than the timeout behind others, and was not sent.')
        })
      }
    })
  )
  const unstopped = waiting.filter((_, at) => stops[at]!.status === 'fulfilled')
  const sent = unstopped.length === 0 ? [] : await send(unstopped)
  let at = 0
  return stops.map((stop) => (stop.status === 'rejected' ? stop : sent[at++]!))
}

// In their order, each of at most so many bytes.
function parts (waiting: ReadonlyArray<Waiting<EtcdChange>>, maxBytes: number): EtcdChange[][] {
  const parts: EtcdChange[][] = []
  let left = 0
  for (const { item, bytes } of waiting) {
    left -= bytes
    if (left < 0) {
      parts.push([])
      left = maxBytes - bytes
    }
    parts.at(-1)!.push(item)
  }
  return parts
}
