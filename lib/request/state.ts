import type { FastifyReply, FastifyRequest } from 'fastify'
import { EntityState } from './entity-state.js'
import { isClosed } from './is-closed.js'
import { APPLIED, PERHAPS_APPLIED, withWarning } from './later-step.js'
import { OpenTransaction, type Scope } from './open-transaction.js'
import { StorageOptions } from './storage-options.js'
import type { Trace } from './trace.js'
import { wrongCall } from './wrong-calls.js'
import { workOn, type AdapterWork } from '../adapter-lifecycle.js'
import { isIfMatchError, LateWriteError, type ErrorCode } from '../errors.js'
import { methodKind, type MethodKind } from '../http/method.js'
import type { ReadOptions, StorageAdapter } from '../storage/adapter.js'
import { checkKey } from '../storage/kit/key.js'

/** The failures after which the step was certainly not carried out, and may succeed a little later. */
const FOR_NOW = new Set<ErrorCode>(['FST_IF_MATCH_CONTENTION', 'FST_IF_MATCH_STORAGE_UNAVAILABLE'])

/** The failures of a write that may have been applied all the same. */
const UNCERTAIN = new Set<ErrorCode>([
  'FST_IF_MATCH_OUTCOME_UNKNOWN',
  'FST_IF_MATCH_STORAGE_FAULT',
  'FST_IF_MATCH_INVALID_ADAPTER',
  'FST_IF_MATCH_INVALID_VERSION'
])

const ONE_AT_A_TIME =
  'await the other transaction of this request first, or call this one inside its work: then both are one.'

/** A request that works on entities: what it knows of them, and whether anybody still waits for its outcome. */
export class RequestState {
  readonly kind: MethodKind
  readonly storage: StorageAdapter
  /** Whether a write of this request was applied, to whatever entity. */
  hasApplied = false
  readonly #work: AdapterWork
  #failedForNow = false
  /** Whether a write may have been applied: its answer was lost, or a transaction of the app decides. */
  #isUncertain = false
  #further: Map<string, EntityState> | undefined
  #controller: AbortController | undefined
  /** The transaction whose work is running: operations that begin meanwhile are part of it (decision 0021). */
  transaction: OpenTransaction | undefined
  /** Whether a transaction of this request has begun and not ended. */
  #isInTransaction = false
  /** How many of its entities have a write of this request under way. */
  #underWay = 0

  constructor (
    readonly request: FastifyRequest,
    readonly reply: FastifyReply,
    storage: StorageAdapter,
    readonly trace?: Trace
  ) {
    this.kind = methodKind(request.method)
    this.storage = trace === undefined ? storage : trace.around(storage)
    this.#work = workOn(storage)
    if (isClosed(reply.raw)) return
    this.#work.begin()
    reply.raw.on('close', () => {
      this.#work.end()
      this.onClosed()
    })
  }

  /**
   * The state of an entity other than the one that the route acts on.
   *
   * @throws FST_IF_MATCH_INVALID_KEY
   */
  further (key: string): EntityState {
    try {
      checkKey(key)
    } catch (error) {
      throw withWarning(error, this.warningFor(undefined))
    }
    this.#further ??= new Map()
    let entity = this.#further.get(key)
    if (entity === undefined) this.#further.set(key, entity = new EntityState(key))
    return entity
  }

  /**
   * Starts a write to an entity once the last one to the same entity has ended, with which it compares.
   *
   * @returns the promise of the write itself: if the handler does not await it, its rejection is unhandled
   */
  startWrite<R> (entity: EntityState, write: () => Promise<R>): Promise<R> {
    return this.inTurn(entity, async () => {
      this.begin()
      try {
        return await write()
      } finally {
        this.end()
      }
    })
  }

  protected inTurn<R> (entity: EntityState, write: () => Promise<R>): Promise<R> {
    const started = entity.writing === undefined ? write() : entity.writing.then(write, write)
    entity.writing = started
    return started
  }

  /**
   * Carries out a write to an entity, and remembers what became of it. What is written with a context of the app may be
   * part of a transaction: only the app knows whether it stays.
   *
   * @param told what to tell the client of an error
   */
  async carryOut<R> (
    entity: EntityState,
    { context, joined }: Scope,
    write: () => Promise<R>,
    told: (error: unknown) => unknown
  ): Promise<R> {
    // What is part of a transaction of this request is applied, or not, with that one.
    const isOwnStep = joined === undefined
    if (isOwnStep) this.#carriesOut(entity, true)
    try {
      const result = await write()
      if (isOwnStep) {
        this.#carriesOut(entity, false)
        if (context === undefined) this.hasApplied = true
        else this.#isUncertain = true
      }
      return result
    } catch (error) {
      if (isOwnStep) {
        this.#carriesOut(entity, false)
        this.noteFailure(error, true)
      }
      throw told(error)
    }
  }

  #carriesOut (entity: EntityState, isUnderWay: boolean): void {
    entity.isUnderWay = isUnderWay
    this.#underWay += isUnderWay ? 1 : -1
  }

  /**
   * Runs a transaction of this request. Its work begins with `open`, again for each attempt: until the work ends,
   * `transaction` is there. One that joined another one is part of it: an error of its work fails the whole, also a
   * refusal of something else, because it may come behind half of the work.
   *
   * @throws FST_IF_MATCH_INVALID_OPTIONS if another one is under way that this one is no part of
   */
  async inTransaction<R> (
    entity: EntityState,
    { joined }: Scope,
    run: (open: <S>(client: unknown, work: () => Promise<S>) => Promise<S>) => Promise<R>
  ): Promise<R> {
    if (joined !== undefined) {
      return await run(async (_client, work) => await work().catch((error: unknown) => {
        joined.fail(error)
        throw error
      }))
    }
    if (this.#isInTransaction) return await wrongCall('transaction', ONE_AT_A_TIME)
    this.#isInTransaction = true
    let last: OpenTransaction | undefined
    let result: R
    try {
      result = await run((client, work) => {
        last?.rollBack()
        last = this.transaction = new OpenTransaction(client, entity)
        return last.carryOut(work, () => { this.transaction = undefined })
      })
    } catch (error) {
      last?.rollBack()
      throw error
    } finally {
      this.#isInTransaction = false
    }
    return result
  }

  /**
   * What an error of a step on this entity tells the client in place of "send the request again": undefined unless
   * another write of this request was applied, or may have been or still be. A transaction is one step.
   */
  warningFor (entity: EntityState | undefined, joined?: OpenTransaction): string | undefined {
    if (this.hasApplied) return APPLIED
    const step = joined?.entity ?? entity
    const isOpen = this.#underWay > (step?.isUnderWay === true ? 1 : 0)
    return this.#isUncertain || isOpen ? PERHAPS_APPLIED : undefined
  }

  /** Counts an operation, so that the adapter is not closed under it. */
  begin (): void {
    this.#work.begin()
  }

  /** Ends what `begin` counted. */
  end (): void {
    this.#work.end()
  }

  /** Records why an operation failed; `wrote`: it was a write. */
  noteFailure (error: unknown, wrote: boolean): void {
    if (!isIfMatchError(error)) return
    if (FOR_NOW.has(error.code)) this.#failedForNow = true
    else if (wrote && UNCERTAIN.has(error.code)) this.#isUncertain = true
  }

  /**
   * Whether a client may be told to send the request again as it is: the storage failed it for now, it certainly
   * applied nothing, and nothing that it began is under way.
   */
  get mayResend (): boolean {
    return this.#failedForNow && !this.hasApplied && !this.#isUncertain
  }

  /**
   * The options of a call of the storage. What begins although nobody waits for the answer is a read, in `onResponse`
   * for example: nothing stops it.
   */
  storageOptions (context: unknown, unless?: ReadOptions['unless']): ReadOptions {
    return this.isOver() ? { context, unless } : new StorageOptions(this, context, unless)
  }

  /** Whether nobody waits for the outcome any more. */
  isOver (): boolean {
    return this.reply.raw.writableEnded || isClosed(this.reply.raw)
  }

  /** Called when the connection or the stream of the answer is done with, or is lost. */
  protected onClosed (): void {}

  /** Whether the answer is out and no write is under way: then the end of the connection stops nothing. */
  protected isDone (): boolean {
    return false
  }

  /**
   * Aborted once nobody waits any more. It is not the signal of Fastify's request: over a socket, that one fires as
   * soon as the body has been read (decision 0004).
   */
  get signal (): AbortSignal {
    if (this.#controller === undefined) {
      const controller = this.#controller = new AbortController()
      const abort = (): void => { controller.abort(new LateWriteError()) }
      if (this.isOver()) abort()
      else this.reply.raw.once('close', () => { if (!this.isDone()) abort() })
    }
    return this.#controller.signal
  }
}
