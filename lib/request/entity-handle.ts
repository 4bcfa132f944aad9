import { copyStored } from './check-adapter.js'
import { conditionalWrite, type Change, type Repeated } from './conditional-write.js'
import { EntityReader, found } from './entity-reader.js'
import { versionOnly, type Snapshot } from './entity-state.js'
import type { Committed, Current, Entity, Found, Operation, Revision, Saved, TransactionOptions } from './entity.js'
import { makeValue, refuseNested, withoutNested, type Maker } from './make-value.js'
import type { Scope } from './open-transaction.js'
import type { Resend } from './resend.js'
import type { RequestState } from './state.js'
import { DigestOptions } from './storage-options.js'
import { noValue, wrongCall } from './wrong-calls.js'
import { EntityAbsentError, LateWriteError } from '../errors.js'
import { formatEntityTag } from '../http/entity-tag.js'
import type { Preconditions } from '../http/precondition.js'
import { kindOf } from '../storage/kit/flaws.js'
import type {
  Expectation,
  Locked,
  RemoveExpectation,
  Stored,
  TransactionResult,
  WriteOptions
} from '../storage/adapter.js'

const NO_TRANSACTIONS =
  'its storage adapter has no transactions. Use transactionsAdapter of fastify-if-match/storage/transactions.'

// `isRepeated`: an earlier try of the request had applied it.
type Applied<T> = { applied: true, version: string, created: boolean, value?: T, isRepeated?: true }

type Done<R> = Extract<TransactionResult<unknown, R>, { applied: true }> & { isRepeated?: true }

/**
 * The operations of a handle. Its two kinds differ in what decides: the headers of the request, or what it read.
 */
export abstract class EntityHandle<T, R extends RequestState = RequestState> extends EntityReader<T, R>
  implements Entity<T> {
  /** What must hold for an operation; `readsFirst`: it reads, and compares and swaps on what it read. */
  protected abstract preconditionsOf (operation: Operation, readsFirst: boolean): Preconditions

  /** The snapshot that a change starts from: the one that is known, or a fresh one. */
  protected abstract readCurrent (scope: Scope): Promise<Snapshot> | Snapshot

  create (value: T): Promise<Saved<T>> {
    return this.#start('create', (scope) => arguments.length === 0
      ? wrongCall('create', 'pass it the value of the new entity.')
      : this.#write('create', scope, value))
  }

  replace (value: T | Maker<T>): Promise<Saved<T>> {
    return this.#start('replace', (scope) => arguments.length === 0
      ? wrongCall('replace', 'pass it the new value, or a function that makes it of the current one.')
      : typeof value === 'function'
        ? this.#write('replace', scope, undefined, value as Maker<T>)
        : this.#write('replace', scope, value))
  }

  update (change: (current: T, revision: Revision) => T | Promise<T>): Promise<Saved<T>> {
    return this.#start('update', (scope) => typeof change === 'function'
      ? this.#write('update', scope, undefined, change as Maker<T>)
      : wrongCall('update', 'pass it a function that makes the new value of the current one, and not ' +
        `${kindOf(change)}. A value itself goes to replace().`))
  }

  remove (): Promise<void> {
    return this.#start('remove', (scope) => this.#remove(scope))
  }

  transaction<Tx, R> (
    work: (tx: Tx, current: Current<T>) => R | Promise<R>,
    options?: TransactionOptions<T, R>
  ): Promise<Committed<R>> {
    return this.#start('transaction', (scope) => typeof work === 'function'
      ? this.#transaction(scope, work, options?.repeated)
      : wrongCall('transaction', `pass it a function that does the work, and not ${kindOf(work)}.`))
  }

  get isRepeated (): boolean {
    return this.entity.isRepeated
  }

  unchanged (): Promise<Found<T>> {
    return this.#start('unchanged', (scope) => this.#unchanged(scope))
  }

  #start<S> (operation: Operation, write: (scope: Scope) => Promise<S>): Promise<S> {
    if (this.entity.isMaking) return refuseNested(this.entity, operation)
    const { scope } = this
    scope.joined?.onRollback(this.keep())
    const started = this.request.startWrite(this.entity, () => write(scope))
    scope.joined?.add(started)
    return started
  }

  async #write (operation: Operation, scope: Scope, value: T | undefined, make?: Maker<T>): Promise<Saved<T>> {
    const { resend } = this
    let digest: string | undefined
    const { version, created, value: stored, isRepeated } = await this.#change<Applied<T>>(
      operation,
      scope,
      make && (async (current) => { value = await makeValue(this.entity, make, current) }),
      (expectation, current) => {
        if (value === undefined) throw noValue(operation, make !== undefined, this.request.request)
        digest = this.#digest(resend, expectation, current)
        return this.storage.write(this.key, value, expectation, this.#optionsInTime(scope, digest))
      },
      resend && ((current, verdict) => {
        if (!resend.isRepeated(current, verdict)) return undefined
        digest = current!.digest
        return this.#repeatedBy(current!, copyStored(current!.value))
      })
    )
    const etag = formatEntityTag(version)
    this.wrote(version, scope, isRepeated)
    resend?.wrote(version, digest)
    return { value: stored === undefined ? value as T : stored, version, etag, created }
  }

  async #remove (scope: Scope): Promise<void> {
    const { resend } = this
    await this.#change<{ applied: true }>(
      'remove',
      scope,
      undefined,
      // Never `absent` or `any`: a removal of an absent entity was refused by now.
      (expectation) => this.storage.remove(this.key, expectation as RemoveExpectation, this.#optionsInTime(scope)),
      resend && ((current, verdict) => resend.assertKeyIsNew(current, verdict))
    )
    this.wrote(undefined, scope)
  }

  async #transaction<Tx, R> (
    scope: Scope,
    work: (tx: Tx, current: Current<T>) => R | Promise<R>,
    answerOf: TransactionOptions<T, R>['repeated']
  ): Promise<Committed<R>> {
    const { storage, resend } = this
    if (storage.transaction === undefined) return await wrongCall('transaction', NO_TRANSACTIONS)
    let digest: string | undefined
    const { value, version, created, isRepeated } = await this.request.inTransaction(this.entity, scope, (open) =>
      this.#change<Done<R>>(
        'transaction',
        scope,
        undefined,
        (expectation, current) => {
          digest = this.#digest(resend, expectation, current)
          return storage.transaction!(
            this.key,
            expectation,
            (tx: Tx, locked) => open(tx, () => withoutNested(this.entity, () => work(tx, currentOf(locked)))),
            this.#optionsInTime(scope, digest)
          )
        },
        resend && ((current, verdict) => {
          if (answerOf === undefined) return resend.assertKeyIsNew(current, verdict)
          if (!resend.isRepeated(current, verdict)) return undefined
          digest = current!.digest
          return this.#repeatedTransaction(current!, answerOf)
        })
      ))
    const etag = version === undefined ? undefined : formatEntityTag(version)
    this.wrote(version, scope, isRepeated)
    if (version !== undefined) resend?.wrote(version, digest)
    return { value, version, etag, created }
  }

  #change<R extends { applied: true }> (
    operation: Operation,
    scope: Scope,
    prepare: Change<T, R>['prepare'],
    act: Change<T, R>['act'],
    repeated?: Repeated<T, R>
  ): Promise<R> {
    const preconditions = this.preconditionsOf(operation, prepare !== undefined)
    const looksFirst = repeated !== undefined && this.resend?.isKeyed === true
    const change: Change<T, R> = {
      preconditions,
      policy: this.policyOf(operation),
      read: () => this.#knownWithoutTry(looksFirst && prepare === undefined) ?? this.readCurrent(scope),
      prepare,
      act,
      repeated,
      looksFirst,
      refusal: (verdict, current) => this.refusal(operation, verdict, preconditions, current, scope)
    }
    return this.request.carryOut(
      this.entity,
      scope,
      () => conditionalWrite(change),
      (error) => this.told(error, scope)
    )
  }

  async #unchanged (scope: Scope): Promise<Found<T>> {
    const preconditions = this.preconditionsOf('unchanged', false)
    const { stored } = await this.readFresh(scope)
    const isRepeated = this.judge('unchanged', preconditions, stored, scope)
    const { value, version } = stored! // an absent entity was refused
    // A write that follows compares with what was sent: it may be the one that was repeated.
    if (isRepeated) this.entity.known = this.entity.written = versionOnly(version)
    else this.recordWrite(version)
    this.entity.effect ??= 'unchanged'
    return found(value, version)
  }

  // To look for an earlier try needs no value. What the comparison read will do, unless it found one.
  #knownWithoutTry (isEnough: boolean): Snapshot | undefined {
    const { known } = this.entity
    if (!isEnough || known?.stored === undefined) return undefined
    return this.resend?.earlierTry(known.stored) === undefined ? known : undefined
  }

  // The digest for a write. What the request knows of the version that it replaces is remembered in it.
  #digest (resend: Resend | undefined, expectation: Expectation, current: Stored<T> | undefined): string | undefined {
    return resend?.digest(expectation, current ?? this.entity.known?.stored)
  }

  /** The outcome of a write whose earlier try made the current entity what it is. */
  #repeatedBy<V> ({ version, replaced }: Stored<T>, value: V) {
    this.entity.isRepeated = true
    return { applied: true as const, version, created: replaced === undefined, value, isRepeated: true as const }
  }

  async #repeatedTransaction<R> (
    current: Stored<T>,
    answerOf: NonNullable<TransactionOptions<T, R>['repeated']>
  ): Promise<Done<R>> {
    // A write that began meanwhile would wait for this one.
    const value = await withoutNested(this.entity, () => answerOf(found(copyStored(current.value), current.version)))
    return this.#repeatedBy(current, value)
  }

  /** @throws FST_IF_MATCH_LATE_WRITE once nobody waits for the outcome any more */
  #optionsInTime ({ context }: Scope, digest?: string): WriteOptions {
    if (this.request.isOver()) throw new LateWriteError()
    return digest === undefined
      ? this.request.storageOptions(context)
      : new DigestOptions(this.request, context, digest)
  }
}

function currentOf<T> ({ version, read }: Locked<T>): Current<T> {
  const value = async (): Promise<T> => {
    const stored = await read()
    if (stored === undefined) throw new EntityAbsentError()
    return stored.value
  }
  return version === undefined ? { value } : { version, etag: formatEntityTag(version), value }
}
