import type { FastifyReply, FastifyRequest } from 'fastify'
import { aheadOfValidation } from './ahead-of-validation.js'
import { EntityState } from './entity-state.js'
import type { Entity } from './entity.js'
import { isClosed, isTimedOut } from './is-closed.js'
import { withWarning } from './later-step.js'
import { InvalidOptionsError, NotWrittenError } from '../errors.js'
import type { GuardedRoute } from '../route/guard.js'
import { RequestPreconditions } from './preconditions.js'
import type { Represented } from './representation.js'
import { Resend } from './resend.js'
import { GuardedResponse } from './response.js'
import { RequestState } from './state.js'
import { traceOf, type Trace } from './trace.js'
import { checkKey } from '../storage/kit/key.js'

const NO_WRITES: Array<Promise<unknown>> = []

/** A request under the guard of its route, from its headers to its answer. */
export class GuardedRequest extends RequestState {
  readonly preconditions: RequestPreconditions
  readonly response: GuardedResponse
  /** What recognises a write that is sent again, on routes with the option `resend`. */
  readonly resend: Resend | undefined
  /** Whether the handler of the route was entered. */
  isEntered = false
  /** Whether the answer is on its way: then nothing may be written any more. */
  isAnswered = false
  /** The handle of the route's entity without a context, once something has asked for it. */
  handle: Entity<any> | undefined
  /** The representation that its 412 carries, once the function of the route was asked for it. */
  represented: Promise<Represented | undefined> | undefined
  /** Whether that function is running. */
  isRepresenting = false
  /** Whether Fastify has begun to validate the request. */
  isValidated = false
  readonly #route: GuardedRoute
  #own: EntityState | undefined
  /** Whether the key of that entity was made ahead of the validation. */
  #isEarly = false
  #writes: Map<Promise<unknown>, EntityState> | undefined
  /** Why the last write to the route's entity failed. A handler that swallows the rejection answers with it. */
  #failure: unknown

  constructor (request: FastifyRequest, reply: FastifyReply, route: GuardedRoute) {
    super(request, reply, route.settings.storage, traceOf(request, reply, route.settings.onRefused))
    this.#route = route
    this.preconditions = new RequestPreconditions(request, this.kind, route)
    this.response = new GuardedResponse(reply, this.kind, route.settings)
    const { resend } = route.settings
    this.resend = resend !== false && this.kind === 'write'
      ? new Resend(request, this.preconditions, resend, route.constraints)
      : undefined
    // There may be no answer, and nothing begins any more.
    if (this.trace !== undefined && isClosed(reply.raw)) this.#end(this.trace)
  }

  /** The state of the entity that the route acts on. Its key is made on first use, of the validated params. */
  get own (): EntityState {
    if (this.#own !== undefined) return this.#own
    this.#own = this.trace === undefined ? this.#makeOwn() : this.trace.run(() => this.#makeOwn())
    return this.#own
  }

  #makeOwn (): EntityState {
    const { keyOf } = this.#route
    this.#isEarly = !this.isValidated
    const key: unknown = this.#isEarly ? aheadOfValidation(this.request, keyOf) : keyOf(this.request)
    if (typeof key !== 'string') {
      Promise.resolve(key).catch(() => {}) // an async function is refused, so its rejection is handled
      throw new InvalidOptionsError(this.request.routeOptions.url, 'the function "key" returned no string.')
    }
    checkKey(key)
    return new EntityState(key)
  }

  /** The same, or undefined if nothing has asked for it yet. */
  get ownIfUsed (): EntityState | undefined {
    return this.#own
  }

  /**
   * The handler must not act on another entity than the one that its request names: a key that is made of the body or
   * of headers may be changed by their validation, and any by a hook.
   *
   * @throws FST_IF_MATCH_INVALID_OPTIONS if the key was made ahead of the validation, and is another one by now
   */
  assertSameKey (): void {
    if (!this.#isEarly || this.#route.keyOf(this.request) === this.own.key) return
    throw new InvalidOptionsError(
      this.#url,
      'a hook asked for its entity ahead of the validation, and the key of that entity was changed since, by the ' +
      'validation or by another hook. Call request.entity() in a preHandler hook or in the handler.'
    )
  }

  /** What makes the representation that a 412 may carry: the option `representation`. */
  get representation (): GuardedRoute['settings']['representation'] {
    return this.#route.settings.representation
  }

  /** Whether a 304 may be answered ahead of the handler: the option `notModified`. */
  get isNotModifiedEarly (): boolean {
    const { notModified, variant } = this.#route.settings
    return notModified === 'early' && variant === undefined
  }

  /**
   * @throws FST_IF_MATCH_MALFORMED, FST_IF_MATCH_REQUIRED if the handler may not be entered; and what `prepare` of
   *   `resend` throws
   */
  enter (): void {
    if (this.kind === 'write') this.preconditions.assertStrategy()
    this.preconditions.fix()
    this.resend?.prepare()
    this.isEntered = true
  }

  /**
   * Starts a write, and remembers it until it ends: the answer waits for it even if the handler does not, so its
   * rejection never counts as unhandled.
   */
  override startWrite<R> (entity: EntityState, write: () => Promise<R>): Promise<R> {
    this.begin()
    const started = this.inTurn(entity, write)
    const writes = this.#writes ??= new Map()
    const end = (failure: unknown): void => {
      this.end()
      writes.delete(started)
      if (entity !== this.#own) return
      this.#failure = failure
      this.trace?.note(failure)
    }
    writes.set(started, entity)
    started.then(() => { end(undefined) }, end)
    return started
  }

  /** Whether the answer has to wait for writes that the handler did not await. An error need not if nobody reads it. */
  mustWait (): boolean {
    return this.#awaited().length > 0 && (this.reply.statusCode < 400 || !this.isOver())
  }

  /** Waits for all writes that were started; the first rejection is the answer, unless that is an error already. */
  async endOfWrites (): Promise<void> {
    for (let writes = this.#awaited(); writes.length > 0; writes = this.#awaited()) {
      if (this.reply.statusCode < 400) await Promise.all(writes)
      else await Promise.allSettled(writes)
    }
  }

  // The function of an update may wait for the answer itself: `return reply.code(409).send()`. So an error does not
  // wait for a function that is running, and what that one makes is refused as a late write.
  #awaited (): Array<Promise<unknown>> {
    if (!this.#isWriting()) return NO_WRITES
    const writes = [...this.#writes!]
    const started = this.reply.statusCode < 400 ? writes : writes.filter(([, entity]) => !entity.isMaking)
    return started.map(([write]) => write)
  }

  /**
   * Refuses the success of a state-changing handler if its precondition did not decide about a write.
   *
   * @throws why its last write failed, or FST_IF_MATCH_NOT_WRITTEN
   */
  assertWritten (): void {
    if (!this.isEntered || this.kind !== 'write' || this.reply.statusCode >= 400) return
    const { written } = this.own
    // It may have been caught inside of a transaction that was committed all the same.
    if (this.#failure !== undefined) throw withWarning(this.#failure, this.warningFor(this.own))
    if (written !== undefined) return
    const error = new NotWrittenError(this.request.method, this.#url)
    this.trace?.note(error)
    throw error
  }

  #end (trace: Trace): void {
    trace.close(this.reply.raw.headersSent)
    this.#tell(trace)
  }

  /** Tells of the outcome once the answer is out. */
  tellOnceSent (trace: Trace): void {
    trace.onceSent(() => { this.#tell(trace) })
  }

  /** Tells of the outcome, once no write is under way. */
  #tell (trace: Trace): void {
    trace.isAnswered = this.isAnswered
    if (this.#isWriting()) {
      void Promise.allSettled(this.#writes!.keys()).then(() => { this.#tell(trace) })
      return
    }
    const { kind, preconditions: { strategy, isLetThrough }, isEntered, reply: { statusCode } } = this
    const own = this.#own
    trace.tell({
      kind,
      strategy,
      key: own?.key,
      effect: own?.effect,
      status: statusCode,
      isEntered,
      isTimedOut: this.#route.hasTimeout && isTimedOut(this.request),
      isLetThrough
    })
  }

  /** Whether the answer is out, the timeout of the handler gave one, or the client is gone. */
  override isOver (): boolean {
    return this.isAnswered || super.isOver() || (this.#route.hasTimeout && isTimedOut(this.request))
  }

  override get mayResend (): boolean {
    return super.mayResend && !this.#isWriting()
  }

  /** Nothing can refuse an answer that goes around Fastify: a line in the log tells of a handler that forgot. */
  protected override onClosed (): void {
    const { isEntered, isAnswered, kind, trace, reply: { raw } } = this
    if (trace !== undefined) this.#end(trace)
    if (!isEntered || isAnswered || kind !== 'write' || !raw.headersSent || raw.statusCode >= 400) return
    void Promise.allSettled(this.#writes?.keys() ?? NO_WRITES).then(() => { this.#warnIfNotWritten() })
  }

  #warnIfNotWritten (): void {
    if (this.ownIfUsed?.written !== undefined) return
    const { log, method } = this.request
    log.warn(
      `The handler of ${method} ${this.#url} answered through reply.raw without a write to ` +
      'its entity, so the precondition protected nothing. Call replace, update, remove, create, transaction or ' +
      'unchanged of request.entity().'
    )
  }

  protected override isDone (): boolean {
    return this.isAnswered && !this.#isWriting()
  }

  /** The path of the route; `callNotFound` has left it. */
  get #url (): string {
    return this.request.routeOptions.url ?? 'a route that called reply.callNotFound()'
  }

  #isWriting (): boolean {
    return this.#writes !== undefined && this.#writes.size > 0
  }
}
