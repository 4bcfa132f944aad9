import type { Refused, StorageAdapter, TransactionAdapter, TransactionResult, Work } from '../../lib/storage/adapter.js'
import type { Engine, Rows } from './engine.js'
import type { Discipline, Transaction, TransactionFlaw } from './transactions.js'

/** An adapter with transactions that is wrong in one respect. */
export interface TransactionMutant {
  /** What it does wrong, after "an adapter that". */
  adapter: string
  /** Default: `locks`. */
  discipline?: Discipline
  flaw: TransactionFlaw
  /** The titles of all cases about transactions that fail for it. */
  caughtBy: readonly string[]
}

type Transact<R = unknown> = (
  key: string,
  expectation: Parameters<TransactionAdapter['transaction']>[1],
  work: Work<unknown, R>,
  options?: Parameters<TransactionAdapter['transaction']>[3]
) => Promise<TransactionResult<unknown, R> | Refused>

/** A flaw in `transaction` as its callers see it. */
export function aroundTransaction (around: (transaction: Transact, engine: Engine) => Transact): TransactionFlaw {
  return () => ({
    wrap: (adapter, engine) => ({
      ...adapter,
      transaction: around(adapter.transaction!.bind(adapter) as Transact, engine) as never
    })
  })
}

/** A flaw in the other methods as their callers see them. */
export function aroundOthers (methods: (adapter: StorageAdapter) => Partial<StorageAdapter>): TransactionFlaw {
  return () => ({ wrap: (adapter) => ({ ...adapter, ...methods(adapter) }) })
}

/** Makes the changes of a transaction visible. */
export function applyAll (tx: Transaction, rows: Rows): void {
  for (const [key, row] of tx.changes) row === undefined ? rows.delete(key) : rows.set(key, row)
}

/** Titles of cases on one transaction. */
export const transaction = {
  satisfied:
    'transaction: is applied under every expectation that holds, and answers with the version that reads give',
  creation: 'transaction: creates an absent entity under "absent" and "any", and created is true',
  removal: 'transaction: a removal answers without a version, and created is false',
  value: 'transaction: gives what the work returned, as it is',
  refusal: 'transaction: an expectation that does not hold is refused with the entity, and the work does not run',
  badKey: 'transaction: a bad key is refused with INVALID_KEY, and the work does not run',
  locked: 'transaction: the work is given the version that was compared, and reads its entity with all changes so far',
  lockedAbsence: 'transaction: of an absent entity the work is given no version, and reads nothing until it wrote',
  inside: 'transaction: operations with its client see its changes of every entity, and compare with them',
  everything: 'transaction: everything that its work wrote, created and removed is there',
  aliasingInside: 'aliasing: changing what a work wrote and read leaves the transaction and the store unchanged',
  aliasingRefusal: 'aliasing: changing the current value of a refused transaction leaves the store unchanged',
  promise: 'lifecycle: transaction returns a promise, also for arguments that it refuses',
  context:
    'context: a transaction in one that the adapter cannot use gets INVALID_OPTIONS, and its work does not run'
}

/** Titles of cases after which nothing is left. */
export const rollback = {
  error: 'rollback: an error of the work is passed on as it is, and nothing is left',
  frozen: 'rollback: a frozen error of the work is passed on as it is, and nothing is left',
  conflict: 'rollback: an error of the work with a statusCode of 409 is passed on as it is, and nothing is left',
  busy: 'rollback: an error of the work with a status of 503 is passed on as it is, and nothing is left',
  bug: 'rollback: a TypeError of the work, which is a bug, is passed on as it is, and nothing is left',
  thrown: 'rollback: a work that throws before it returns a promise is no different',
  nothing: 'rollback: a work that does nothing gets VERSION_UNCHANGED, and nothing is left',
  others: 'rollback: a work that changes other entities alone gets VERSION_UNCHANGED, and nothing is left',
  noCreation: 'rollback: a work that creates nothing gets VERSION_UNCHANGED, and nothing is left',
  undone: 'rollback: a work that removes what it created gets VERSION_UNCHANGED, and nothing is left',
  signalOnTheWay:
    'rollback: a transaction whose signal aborts on the way is answered truthfully, and never half applied',
  signalAfter: 'rollback: a signal that aborts after the answer changes nothing'
}

/** Titles of cases where nobody waits any more, without the way to say so: see `bothWays`. */
export const over = {
  begin: 'rollback: if nobody waits any more when a transaction begins, its work does not run',
  worked: 'rollback: if nobody waits any more when the work ends, nothing is left',
  turn: 'rollback: a work whose turn comes when nobody waits any more does not run'
}

/** Titles of cases on what a transaction keeps beside its entity. */
export const provenance = {
  claims: 'subject: the options "replaced" and "digest" agree with transactions',
  replaced: 'replaced: after a transaction is the version that it locked, however often its work wrote',
  creation: 'replaced: is undefined after a transaction that created the entity, however often its work wrote',
  joined: 'replaced: of a transaction inside another one is what it locked, unless the one around it is about the ' +
    'same entity',
  stored: 'digest: is stored by every kind of transaction, in place of those that its work wrote',
  dropped: 'digest: is dropped by a transaction without one, also that of a write in its work',
  refused: 'digest: a transaction that is refused or rolled back leaves that of before',
  inside: 'digest: the work reads that of the entity, and a refusal inside it tells that, until the work writes',
  others: 'digest: of another entity that a work writes is that of its own write or transaction',
  race: 'digest: of transactions that race is that of the one that is applied, and all refusals tell it'
}

/** Titles of cases on transactions inside others. */
export const joining = {
  applied: 'joining: a transaction inside another one is applied with it',
  rolledBack: 'joining: a transaction that was applied inside another one is rolled back with it',
  error: 'joining: an error of the work inside is passed on as it is, and the work outside rolled back by it',
  refusal: 'joining: a transaction compares with what the one around it wrote, and its refusal ends neither'
}

/** Titles of cases that run on one adapter and on two, without the count: see `onOneAndTwo`. */
export const race = {
  version: 'transactions: exactly one of those with one version is applied, and the works of the others leave nothing',
  creation: 'transactions: exactly one of those that create is applied, and the works of the others leave nothing',
  kinds: 'transactions: exactly one is applied of transactions, writes and removals with one version',
  exists: 'transactions: works under "exists" that raise a counter lose no step',
  any: 'transactions: works under "any" that raise a counter lose no step, and exactly one creates it',
  swap: 'transactions: compare-and-swap loops beside works that raise a counter lose no step',
  write: 'transactions: a write while a work runs comes before the whole transaction or after it',
  whole: 'transactions: who sees one of the changes of a transaction sees all of them',
  dirty: 'transactions: nobody sees a change that is rolled back',
  opposite:
    'transactions: two that take the same entities in opposite orders both end, each applied as a whole or not at all'
}

/** Titles of cases on outages. */
export const outage = {
  during: 'faults: during an outage a transaction rejects, and STORAGE_UNAVAILABLE means that it is never applied',
  inWork:
    'faults: an outage that starts while a work runs rejects its operations and the transaction, and nothing is left',
  error: 'faults: an error of the work is passed on as it is, or tells of the outage in which it was thrown',
  inFlight: 'faults: transactions in flight when an outage starts are answered truthfully, and none is half applied',
  after: 'faults: after an outage transactions work as before'
}

/** The titles of `over`, where the end of the wait is told by `isOver` and where it is told by a signal. */
export function bothWays (...titles: string[]): string[] {
  return [...titles.map(byIsOver), ...titles.map(bySignal)]
}

export function byIsOver (title: string): string {
  return `${title} (isOver)`
}

export function bySignal (title: string): string {
  return `${title} (signal)`
}
