import { InvalidValueError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import { unsealed } from './envelope.js'
import { strangeAnswer, type EtcdFault } from './faults.js'
import type { EtcdGateway } from './gateway.js'
import {
  deletesTogether,
  placeIn,
  putsTogether,
  rangeOf,
  rangesTogether,
  textOf,
  type EtcdCondition,
  type EtcdKeyValue,
  type OperationAnswer,
  type RangeAnswer,
  type RangeRequest,
  type Transaction,
  type TransactionAnswer
} from './wire.js'
import type { EtcdPlace } from './version.js'
import { within } from '../kit/deadline.js'

/** A change of one key. */
export interface EtcdChange {
  readonly key: string
  readonly condition: EtcdCondition
  readonly transaction: Transaction
  /** What its envelope carries; a removal leaves nothing to carry one. */
  readonly marker: string | undefined
}

/** What became of a change: the place of what was written, or what stood in the way. */
export type EtcdOutcome = { applied: true, place: EtcdPlace } | { applied: false, current: EtcdKeyValue | undefined }

type Answer = RangeAnswer | TransactionAnswer

const TRANSACTION = '/v3/kv/txn'

/** The keys of etcd through its gateway: linearizable, and each change sent once. */
export class EtcdStore {
  readonly #gateway: EtcdGateway
  readonly #timeout: number
  // The newest revision that an answer told of: what is not newer was there before what is sent next.
  #seen = 0n

  /** @param timeout how long a look after a lost answer may take, in milliseconds */
  constructor (gateway: EtcdGateway, timeout: number) {
    this.#gateway = gateway
    this.#timeout = timeout
  }

  /** @throws FST_IF_MATCH_STORAGE_UNAVAILABLE */
  async range (request: RangeRequest): Promise<RangeAnswer> {
    return await this.#read('/v3/kv/range', request, (answer: RangeAnswer) => answer)
  }

  /**
   * Several of them, of one moment.
   *
   * @throws FST_IF_MATCH_STORAGE_UNAVAILABLE
   */
  async ranges (requests: readonly RangeRequest[]): Promise<RangeAnswer[]> {
    return await this.#read(TRANSACTION, rangesTogether(requests), (answer: TransactionAnswer) =>
      each(answer, 'response_range', requests.length)
    )
  }

  /**
   * @throws FST_IF_MATCH_STORAGE_UNAVAILABLE, FST_IF_MATCH_OUTCOME_UNKNOWN, FST_IF_MATCH_INVALID_VALUE for what is
   * larger than this server takes
   */
  async change (change: EtcdChange): Promise<EtcdOutcome> {
    const seen = this.#seen
    try {
      const answer = await this.#write(change.transaction)
      return outcomeIn(answer, answer.header.revision, change.condition)
    } catch (fault) {
      return await this.#withoutAnswer(change, fault as EtcdFault, seen)
    }
  }

  /**
   * Changes of different keys (E54) in one transaction, all of them writes or all of them removals; each of them applies,
   * is refused or fails by itself.
   */
  async changes (changes: readonly EtcdChange[]): Promise<Array<PromiseSettledResult<EtcdOutcome>>> {
    const seen = this.#seen
    const transactions = changes.map(({ transaction }) => transaction)
    const { key, marker } = changes[0]!
    try {
      const answer = await this.#write(
        marker === undefined ? deletesTogether(transactions) : putsTogether(transactions, key)
      )
      return each(answer, 'response_txn', changes.length).map((nested, at) => ({
        status: 'fulfilled',
        value: outcomeIn(nested, answer.header.revision, changes[at]!.condition)
      }))
    } catch (error) {
      const fault = error as EtcdFault
      // What is too much or wrong for all of them together may be right for each alone, and nothing was carried out.
      const isOnce = fault.kind === 'TOO_LARGE' || fault.kind === 'REFUSED'
      return await Promise.allSettled(
        changes.map((change) => (isOnce ? this.change(change) : this.#withoutAnswer(change, fault, seen)))
      )
    }
  }

  async #withoutAnswer (change: EtcdChange, fault: EtcdFault, seen: bigint): Promise<EtcdOutcome> {
    if (fault.kind === 'TOO_LARGE') throw new InvalidValueError('it is larger than this etcd takes')
    if (fault.isCertain) throw new StorageUnavailableError({ cause: fault })
    const trace = await within(this.#timeout, this.#trace(change, seen), () => new Error('not in time')).catch(
      () => undefined
    )
    if (typeof trace === 'object') return { applied: true, place: trace }
    // It was answered, so nothing is under way any more (the quota is looked at once more behind the write, E57).
    if (trace === 'none' && fault.kind === 'NO_SPACE') throw new StorageUnavailableError({ cause: fault })
    throw new OutcomeUnknownError({ cause: fault })
  }

  /**
   * What can be seen of a change: the place where it was written (E2), looked for in the newest state of the key and in
   * the one before; `none` if nothing was written since it was sent; undefined if there is no telling.
   */
  async #trace ({ key, marker }: EtcdChange, seen: bigint): Promise<EtcdPlace | 'none' | undefined> {
    let { header, kvs: [entry] = [] } = await this.range(rangeOf(key))
    if (entry === undefined) return BigInt(header.revision) <= seen ? 'none' : undefined
    for (let look = 0; look < 2 && entry !== undefined; look++) {
      if (BigInt(entry.mod_revision) <= seen) return 'none'
      if (marker !== undefined && unsealed(textOf(entry.value!)).marker === marker) return placeIn(entry)
      if (look === 0) [entry] = (await this.range(rangeOf(key, BigInt(entry.mod_revision) - 1n))).kvs ?? []
    }
    return undefined
  }

  async #read<A extends Answer, R> (path: string, request: object, result: (answer: A) => R): Promise<R> {
    try {
      return result(this.#noted(await this.#gateway.read(path, request) as A))
    } catch (cause) {
      throw new StorageUnavailableError({ cause })
    }
  }

  async #write (transaction: Transaction): Promise<TransactionAnswer> {
    return this.#noted(await this.#gateway.write(TRANSACTION, transaction) as TransactionAnswer)
  }

  // What is no answer of etcd must be read neither as an absence nor as a success.
  #noted<A extends Answer> (answer: A | null): A {
    const text = answer?.header?.revision
    if (typeof text !== 'string' || !/^\d+$/.test(text)) throw strangeAnswer()
    const revision = BigInt(text)
    if (revision > this.#seen) this.#seen = revision
    return answer!
  }
}

// One for each operation of the transaction, in their order.
function each<N extends 'response_range' | 'response_txn'> (
  { responses = [] }: TransactionAnswer,
  name: N,
  count: number
): Array<NonNullable<OperationAnswer[N]>> {
  const answers = responses.flatMap((response) => response[name] ?? [])
  if (answers.length !== count) throw strangeAnswer()
  return answers as Array<NonNullable<OperationAnswer[N]>>
}

function outcomeIn (
  { succeeded, responses }: Omit<TransactionAnswer, 'header'>,
  revision: string,
  condition: EtcdCondition
): EtcdOutcome {
  const [entry] = responses?.[0]?.response_range?.kvs ?? []
  if (succeeded !== true) return { applied: false, current: entry }
  const before = typeof condition === 'object' ? condition : entry && placeIn(entry)
  const place = before ? { ...before, writes: before.writes + 1n } : { createRevision: BigInt(revision), writes: 1n }
  return { applied: true, place }
}
