import type { EtcdPlace } from './version.js'

// Requests are built here and nowhere else: the gateway ignores a misspelt field, and a comparison without a value is
// true of every absent key (engine-facts#etcd-gateway-unknown-fields). Numbers travel as texts, and an answer leaves
// out what is false or zero (engine-facts#etcd-gateway-json).

/** A key in an answer; without its `value` if only keys were asked for. */
export interface EtcdKeyValue {
  key: string
  value?: string
  create_revision: string
  mod_revision: string
  version: string
}

/** EQUAL and VERSION are the zeros of their fields, and are left out: half of what etcd does is to read this JSON. */
interface Compare {
  key: string
  result?: 'GREATER'
  target?: 'CREATE'
  create_revision?: string
  version?: string
}

type Operation =
  | { request_range: RangeRequest }
  | { request_put: { key: string, value: string } }
  | { request_delete_range: { key: string } }
  | { request_txn: Transaction }

/** The body of `/v3/kv/range`. */
export interface RangeRequest {
  key: string
  range_end?: string
  limit?: string
  revision?: string
  keys_only?: boolean
}

/** The body of `/v3/kv/txn`. */
export interface Transaction { compare?: Compare[], success: Operation[], failure?: Operation[] }

/** The answer to a range. */
export interface RangeAnswer { header: { revision: string }, kvs?: EtcdKeyValue[], more?: boolean }

/** The answer to one operation of a transaction. */
export interface OperationAnswer { response_range?: RangeAnswer, response_txn?: Omit<TransactionAnswer, 'header'> }

/** The answer to a transaction. */
export interface TransactionAnswer {
  header: { revision: string }
  succeeded?: boolean
  responses?: OperationAnswer[]
}

/** The condition of a change: the key is at this place of its life, is there, is not there, or may be anything. */
export type EtcdCondition = EtcdPlace | 'present' | 'absent' | 'none'

/** Writes under a condition. If it does not hold, the answer has the current entity. */
export function putIf (key: string, value: string, condition: EtcdCondition): Transaction {
  const name = base64(key)
  const put = { request_put: { key: name, value: base64(value) } }
  // These conditions do not tell which place the put replaces, so the answer must.
  const hasNoPlace = condition === 'present' || condition === 'none'
  return changeIf(name, condition, hasNoPlace ? [{ request_range: { key: name, keys_only: true } }, put] : [put])
}

/** Removes under a condition. If it does not hold, the answer has the current entity. */
export function deleteIf (key: string, condition: EtcdCondition): Transaction {
  const name = base64(key)
  return changeIf(name, condition, [{ request_delete_range: { key: name } }])
}

/**
 * Needs the right to read and write under a prefix, and changes nothing: without a comparison `failure` never runs, but
 * its rights are checked (engine-facts#etcd-rights-of-both-branches).
 */
export function rightsUnder (prefix: string): Transaction {
  return {
    success: [{ request_range: { ...rangeFrom(prefix, prefix, 1), keys_only: true } }],
    // Removals, because the quota stops none; at both ends, because a right to one key does not reach the others.
    failure: [prefix, `${prefix}\u{10ffff}`].map((key) => ({ request_delete_range: { key: base64(key) } }))
  }
}

/**
 * One transaction that carries out all of these, of different keys, if the conditions of all hold, and nothing
 * otherwise. It costs etcd two thirds of what the nested ones do (engine-facts#etcd-batch-rate).
 */
export function allOrNothing (transactions: readonly Transaction[]): Transaction {
  return {
    compare: transactions.flatMap(({ compare = [] }) => compare),
    success: transactions.flatMap(({ success }) => success)
  }
}

/** One transaction of several puts, of different keys (engine-facts#etcd-nested-compares-first). */
export function putsTogether (puts: readonly Transaction[], key: string): Transaction {
  // The quota does not count nested puts. This put never runs, but lets the quota stop the batch
  // (engine-facts#etcd-quota-nested-puts).
  return { ...deletesTogether(puts), failure: [{ request_put: { key: base64(key), value: '' } }] }
}

/** One transaction of several removals, of different keys. The quota lets them through. */
export function deletesTogether (removals: readonly Transaction[]): Transaction {
  return { success: removals.map((transaction) => ({ request_txn: transaction })) }
}

/** One transaction of several ranges, which all see the same moment. */
export function rangesTogether (ranges: readonly RangeRequest[]): Transaction {
  return { success: ranges.map((range) => ({ request_range: range })) }
}

/** The key as it is now, or as it was at a revision. */
export function rangeOf (key: string, revision?: bigint): RangeRequest {
  return { key: base64(key), ...revision !== undefined && { revision: String(revision) } }
}

/** The keys that begin with `prefix`, which is not empty, from the key `from` on, in the order of their bytes. */
export function rangeFrom (from: string, prefix: string, limit: number): RangeRequest {
  const end = Buffer.from(prefix)
  // The last byte of a UTF-8 text is never 0xff.
  end[end.length - 1]!++
  return { key: base64(from), range_end: end.toString('base64'), limit: String(limit) }
}

/** The text of a key or value in an answer. */
export function textOf (bytes: string): string {
  return Buffer.from(bytes, 'base64').toString()
}

/** The place of a key in its life. */
export function placeIn ({ create_revision: created, version }: EtcdKeyValue): EtcdPlace {
  return { createRevision: BigInt(created), writes: BigInt(version) }
}

/** @param key as base64 */
function changeIf (key: string, condition: EtcdCondition, success: Operation[]): Transaction {
  return { compare: comparisons(key, condition), success, failure: [{ request_range: { key } }] }
}

function comparisons (key: string, condition: EtcdCondition): Compare[] {
  switch (condition) {
    case 'none': return []
    case 'present': return [{ key, result: 'GREATER', version: '0' }]
    case 'absent': return [{ key, version: '0' }]
    default: return [
      { key, target: 'CREATE', create_revision: String(condition.createRevision) },
      { key, version: String(condition.writes) }
    ]
  }
}

function base64 (text: string): string {
  return Buffer.from(text).toString('base64')
}
