import type { FastifyReply, FastifyRequest } from 'fastify'
import { aheadOfValidation } from './ahead-of-validation.js'
import { EntityState } from './entity-state.js'
import { InvalidOptionsError, NotWrittenError } from '../errors.js'
import type { GuardedRoute } from '../route/guard.js'
import { RequestPreconditions } from './preconditions.js'
import { GuardedResponse } from './response.js'
import { RequestState } from './state.js'
import { checkKey } from '../storage/kit/key.js'

/** A request under the guard of its route, from its headers to its answer. */
export class GuardedRequest extends RequestState {
  readonly preconditions: RequestPreconditions
  readonly response: GuardedResponse
  /** Whether the handler of the route was entered. */
  isEntered = false
  /** Whether the answer is on its way: then nothing may be written any more. */
  isAnswered = false
  /** Whether Fastify has begun to validate the request. */
  isValidated = false
  readonly #route: GuardedRoute
  #own: EntityState | undefined
  #writes: Set<Promise<unknown>> | undefined
  /** Why the last write to the route's entity failed. A handler that swallows the rejection answers with it. */
  #failure: unknown

  constructor (request: FastifyRequest, reply: FastifyReply, route: GuardedRoute) {
    super(request, reply, route.settings.storage)
    this.#route = route
    this.preconditions = new RequestPreconditions(request, this.kind, route)
    this.response = new GuardedResponse(reply, this.kind, route.settings)
  }

  /** The state of the entity that the route acts on. Its key is made on first use, of the validated params. */
  get own (): EntityState {
    if (this.#own === undefined) {
      const { keyOf } = this.#route
      const key: unknown = this.isValidated ? keyOf(this.request) : aheadOfValidation(this.request, keyOf)
      if (typeof key !== 'string') {
        Promise.resolve(key).catch(() => {}) // an async function is refused, so its rejection is handled
        throw new InvalidOptionsError(this.request.routeOptions.url, 'the function "key" returned no string.')
      }
      checkKey(key)
      this.#own = new EntityState(key)
    }
    return this.#own
  }

  /** The same, or undefined if nothing has asked for it yet. */
  get ownIfUsed (): EntityState | undefined {
    return this.#own
  }

  /** @throws FST_IF_MATCH_MALFORMED, FST_IF_MATCH_REQUIRED if the handler may not be entered */
  enter (): void {
    if (this.kind === 'write') this.preconditions.assertStrategy()
    this.preconditions.fix()
    this.isEntered = true
  }

  /**
   * Starts a write, and remembers it until it ends: the answer waits for it even if the handler does not, so its
   * rejection never counts as unhandled.
   */
  override startWrite<R> (entity: EntityState, write: () => Promise<R>): Promise<R> {
    this.begin()
    const started = this.inTurn(entity, write)
    const writes = this.#writes ??= new Set()
    const end = (failure: unknown): void => {
      this.end()
      writes.delete(started)
      if (entity === this.#own) this.#failure = failure
    }
    writes.add(started)
    started.then(() => { end(undefined) }, end)
    return started
  }

  /** Whether the answer has to wait for writes that the handler did not await. An error need not if nobody reads it. */
  mustWait (): boolean {
    return this.#isWriting() && (this.reply.statusCode < 400 || !this.isOver())
  }

  /** Waits for all writes that were started; the first rejection is the answer, unless that is an error already. */
  async endOfWrites (): Promise<void> {
    while (this.#isWriting()) {
      if (this.reply.statusCode < 400) await Promise.all(this.#writes!)
      else await Promise.allSettled(this.#writes!)
    }
  }

  /**
   * Refuses the success of a state-changing handler if its precondition did not decide about a write.
   *
   * @throws why its last write failed, or FST_IF_MATCH_NOT_WRITTEN
   */
  assertWritten (): void {
    if (!this.isEntered || this.kind !== 'write' || this.reply.statusCode >= 400) return
    const { written } = this.own
    if (this.#failure !== undefined) throw this.#failure
    if (written === undefined) throw new NotWrittenError(this.request.method, this.#url)
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
    const { isEntered, isAnswered, kind, reply: { raw } } = this
    if (!isEntered || isAnswered || kind !== 'write' || !raw.headersSent || raw.statusCode >= 400) return
    void Promise.allSettled(this.#writes ?? []).then(() => { this.#warnIfNotWritten() })
  }

  #warnIfNotWritten (): void {
    if (this.ownIfUsed?.written !== undefined) return
    const { log, method } = this.request
    log.warn(
      `The handler of ${method} ${this.#url} answered through reply.raw without a write to ` +
      'its entity, so the precondition protected nothing. Call replace, update, remove, create or unchanged of ' +
      'request.entity().'
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

function isTimedOut ({ signal }: FastifyRequest): boolean {
  return signal.aborted && (signal.reason as { code?: string } | undefined)?.code === 'FST_ERR_HANDLER_TIMEOUT'
}
