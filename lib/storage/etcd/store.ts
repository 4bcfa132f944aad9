import { InvalidValueError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import { within } from '../kit/deadline.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'
import { unsealed } from './envelope.js'
import { strangeAnswer, type EtcdFault } from './faults.js'
import type { EtcdGateway } from './gateway.js'
import {
  allOrNothing,
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

/** A change of one key. */
export interface EtcdChange {
  readonly key: string
  readonly condition: EtcdCondition
  readonly transaction: Transaction
  /** The marker in the envelope of a write; undefined for a removal. */
  readonly marker: string | undefined
}

/** The outcome of a change: the place of the entity that it wrote, or the current entity that stood in the way. */
export type EtcdOutcome = { applied: true, place: EtcdPlace } | { applied: false, current: EtcdKeyValue | undefined }

type Answer = RangeAnswer | TransactionAnswer

const TRANSACTION = '/v3/kv/txn'

/** The keys of etcd through its gateway: reads are linearizable, and each change is sent once. */
export class EtcdStore {
  readonly #gateway: EtcdGateway
  readonly #timeout: number
  /** The newest revision in an answer so far: no change that is sent later has an older one. */
  #newest = 0n
  /** Whether the last changes that went together had a refusal among them: the next ones may have one, too. */
  #hadRefusal = false

  /** @param timeout how long to look for a change whose answer was lost, in milliseconds */
  constructor (gateway: EtcdGateway, timeout: number) {
    this.#gateway = gateway
    this.#timeout = timeout
  }

  /** @throws FST_IF_MATCH_STORAGE_UNAVAILABLE */
  async range (request: RangeRequest): Promise<RangeAnswer> {
    return await this.#read('/v3/kv/range', request, (answer: RangeAnswer) => answer)
  }

  /**
   * Several ranges, of one moment.
   *
   * @throws FST_IF_MATCH_STORAGE_UNAVAILABLE
   */
  async ranges (requests: readonly RangeRequest[]): Promise<RangeAnswer[]> {
    return await this.#read(TRANSACTION, rangesTogether(requests), (answer: TransactionAnswer) =>
      answersIn(answer, 'response_range', requests.length)
    )
  }

  /**
   * @throws FST_IF_MATCH_STORAGE_UNAVAILABLE, FST_IF_MATCH_OUTCOME_UNKNOWN, FST_IF_MATCH_INVALID_VALUE for a change
   * that is larger than this server takes
   */
  async change (change: EtcdChange): Promise<EtcdOutcome> {
    const before = this.#newest
    try {
      const answer = await this.#write(change.transaction)
      return outcomeIn(answer, answer.header.revision, change.condition)
    } catch (fault) {
      return await this.#afterFault(change, fault as EtcdFault, before)
    }
  }

  /**
   * Changes of different keys in one transaction, all of them writes or all of them removals. Each of them is applied,
   * is refused or fails by itself.
   */
  async changes (changes: readonly EtcdChange[]): Promise<Array<PromiseSettledResult<EtcdOutcome>>> {
    const before = this.#newest
    try {
      const outcomes = (this.#hadRefusal ? undefined : await this.#changeAllOrNothing(changes)) ??
        await this.#changeEach(changes)
      return outcomes.map((value) => ({ status: 'fulfilled', value }))
    } catch (error) {
      const fault = error as EtcdFault
      // Nothing was carried out, and each change alone may be small enough or right.
      const mayGoAlone = ['TOO_LARGE', 'REFUSED', 'WRONG'].includes(fault.kind)
      return await Promise.allSettled(
        changes.map((change) => mayGoAlone ? this.change(change) : this.#afterFault(change, fault, before))
      )
    }
  }

  /** Undefined if one of the conditions does not hold: then nothing was carried out. */
  async #changeAllOrNothing (changes: readonly EtcdChange[]): Promise<EtcdOutcome[] | undefined> {
    const transactions = changes.map(({ transaction }) => transaction)
    const { succeeded, responses = [], header: { revision } } = await this.#write(allOrNothing(transactions))
    const sizes = succeeded === true ? transactions.map(({ success }) => success.length) : []
    if (responses.length !== sizes.reduce((sum, size) => sum + size, 0)) throw strangeAnswer()
    this.#hadRefusal = succeeded !== true
    if (this.#hadRefusal) return undefined
    const rest = [...responses]
    return changes.map(({ condition }, index) =>
      outcomeIn({ succeeded: true, responses: rest.splice(0, sizes[index]) }, revision, condition))
  }

  async #changeEach (changes: readonly EtcdChange[]): Promise<EtcdOutcome[]> {
    const transactions = changes.map(({ transaction }) => transaction)
    const { key, marker } = changes[0]!
    const answer = await this.#write(
      marker === undefined ? deletesTogether(transactions) : putsTogether(transactions, key)
    )
    const outcomes = answersIn(answer, 'response_txn', changes.length).map((nested, index) =>
      outcomeIn(nested, answer.header.revision, changes[index]!.condition))
    this.#hadRefusal = !outcomes.every(({ applied }) => applied)
    return outcomes
  }

  /** @param before the newest revision that was known when the change was sent */
  async #afterFault (change: EtcdChange, fault: EtcdFault, before: bigint): Promise<EtcdOutcome> {
    if (fault.kind === 'TOO_LARGE') throw new InvalidValueError('it is larger than this etcd takes')
    if (fault.isMistake) throw storageFault(FAULT.refused, fault)
    if (fault.isCertain) throw new StorageUnavailableError({ cause: fault })
    const looking = within(this.#timeout, this.#lookFor(change, before), () => new Error('not in time'))
    const found = await looking.catch(() => 'unknown' as const)
    if (typeof found === 'object') return { applied: true, place: found }
    // The server answered NO_SPACE, so the write is not under way any more (engine-facts#etcd-quota).
    if (found === 'not written' && fault.kind === 'NO_SPACE') throw new StorageUnavailableError({ cause: fault })
    throw new OutcomeUnknownError({ cause: fault })
  }

  /**
   * Looks for a change in the newest state of its key, and in the state before that one: the place where it was
   * written, or that the key was not written since the revision `before`, or neither.
   */
  async #lookFor ({ key, marker }: EtcdChange, before: bigint): Promise<EtcdPlace | 'not written' | 'unknown'> {
    const { header, kvs: [newest] = [] } = await this.range(rangeOf(key))
    if (newest === undefined) return BigInt(header.revision) <= before ? 'not written' : 'unknown'
    if (BigInt(newest.mod_revision) <= before) return 'not written'
    if (hasMarker(newest, marker)) return placeIn(newest)
    const { kvs: [replaced] = [] } = await this.range(rangeOf(key, BigInt(newest.mod_revision) - 1n))
    if (replaced === undefined) return 'unknown'
    if (BigInt(replaced.mod_revision) <= before) return 'not written'
    return hasMarker(replaced, marker) ? placeIn(replaced) : 'unknown'
  }

  async #read<A extends Answer, R> (path: string, request: object, result: (answer: A) => R): Promise<R> {
    try {
      return result(this.#checked(await this.#gateway.read(path, request) as A))
    } catch (error) {
      const cause = error as EtcdFault
      throw cause.isMistake ? storageFault(FAULT.refused, cause) : new StorageUnavailableError({ cause })
    }
  }

  async #write (transaction: Transaction): Promise<TransactionAnswer> {
    return this.#checked(await this.#gateway.write(TRANSACTION, transaction) as TransactionAnswer)
  }

  // An answer that etcd does not give must read neither as an absence nor as a success.
  #checked<A extends Answer> (answer: A | null): A {
    const text = answer?.header?.revision
    if (typeof text !== 'string' || !/^\d+$/.test(text)) throw strangeAnswer()
    const revision = BigInt(text)
    if (revision > this.#newest) this.#newest = revision
    return answer!
  }
}

/** The answers to the operations of a transaction, in their order. */
function answersIn<N extends 'response_range' | 'response_txn'> (
  { responses = [] }: TransactionAnswer, name: N, count: number
): Array<NonNullable<OperationAnswer[N]>> {
  const answers = responses.flatMap((response) => response[name] ?? [])
  if (answers.length !== count) throw strangeAnswer()
  return answers as Array<NonNullable<OperationAnswer[N]>>
}

function outcomeIn (
  { succeeded, responses }: Omit<TransactionAnswer, 'header'>, revision: string, condition: EtcdCondition
): EtcdOutcome {
  const [entry] = responses?.[0]?.response_range?.kvs ?? []
  if (succeeded !== true) return { applied: false, current: entry }
  const replaced = typeof condition === 'object' ? condition : entry && placeIn(entry)
  const place = replaced === undefined
    ? { createRevision: BigInt(revision), writes: 1n }
    : { ...replaced, writes: replaced.writes + 1n }
  return { applied: true, place }
}

function hasMarker (entry: EtcdKeyValue, marker: string | undefined): boolean {
  return marker !== undefined && unsealed(textOf(entry.value!)).marker === marker
}
