import { AsyncResource } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  isRefusal,
  OUTCOME_CHANNEL,
  outcomeOf,
  type Ending,
  type Outcome,
  type OutcomeMessage,
  type Strategy
} from './outcome.js'
import { StorageClock, timedStorage } from './timed-storage.js'
import { isIfMatchError, isRefusalError, type ErrorCode, type IfMatchError } from '../errors.js'
import { methodKind } from '../http/method.js'
import type { OnRefused } from '../option-functions.js'
import type { StorageAdapter } from '../storage/adapter.js'

const outcomes = channel(OUTCOME_CHANNEL)

/** How deep an error of this package may be among the causes of one of the app. */
const DEEPEST_CAUSE = 8

/** What a request tells of itself at its end. */
export interface Told extends Omit<Ending, 'code' | 'reason'> {
  readonly key: string | undefined
  readonly strategy: Strategy
  readonly isLetThrough: boolean
}

/**
 * The trace of a request, if somebody wants to know its outcome.
 *
 * @returns undefined if nobody does: then nothing is made or measured of this request
 */
export function traceOf (request: FastifyRequest, reply: FastifyReply, onRefused: OnRefused | undefined) {
  const isListened = outcomes.hasSubscribers
  if (!isListened && onRefused === undefined) return undefined
  return methodKind(request.method) === 'exempt' ? undefined : new Trace(request, reply, isListened, onRefused)
}

/** What is noted of one request for those who want to know its outcome. */
export class Trace {
  /** Whether the answer is on its way. */
  isAnswered = false
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  #onRefused: OnRefused | undefined
  // `callNotFound` leaves the route.
  readonly #route: string
  #clock: StorageClock | undefined
  #error: IfMatchError | undefined
  #isClosed = false
  #isAborted = false

  constructor (
    request: FastifyRequest,
    reply: FastifyReply,
    isListened: boolean,
    onRefused: OnRefused | undefined
  ) {
    this.#request = request
    this.#reply = reply
    this.#onRefused = onRefused
    this.#route = request.routeOptions.url!
    this.#clock = isListened ? new StorageClock() : undefined
  }

  /** The storage of the request; with a listener, one that is timed. */
  around (storage: StorageAdapter): StorageAdapter {
    return this.#clock === undefined ? storage : timedStorage(storage, this.#clock)
  }

  /**
   * Notes an error that a step of the request met. One of the app counts for the one of this package that it wraps.
   * Behind the answer, only that a write may have been applied is news. No refusal of another try takes that back: the
   * write that it found in its way may be that one.
   */
  note (error: unknown): void {
    const ours = oursIn(error)
    if (ours === undefined || this.#error?.code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') return
    if (!this.isAnswered || ours.code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') this.#error = ours
  }

  /**
   * Calls `tell` for the listeners as soon as the head of the answer is out: Fastify may refuse to send what its hooks
   * let pass, and answer 500. The error of a stream is 500, too, until its first bytes are there: `tell` waits for its
   * end. Instrumentation ends the span of the request later, at its `close`.
   */
  onceSent (tell: () => void): void {
    this.isAnswered = true
    if (this.#clock === undefined) return
    const { raw } = this.#reply
    process.nextTick(() => {
      if (raw.headersSent) tell()
      else raw.once('finish', AsyncResource.bind(tell))
    })
  }

  /** Calls the handler, and notes the error that it ends with. */
  run<R> (handler: () => R): R {
    try {
      const result = handler()
      if (result instanceof Promise) result.then(undefined, (error: unknown) => { this.note(error) })
      return result
    } catch (error) {
      this.note(error)
      throw error
    }
  }

  /** Notes that the connection or the stream of the answer is done with. */
  close (isAnswered: boolean): void {
    this.#isClosed = true
    this.#isAborted = !isAnswered
  }

  /**
   * Tells of the outcome, each of them once: the listeners as soon as it is settled, inside of the request, and
   * `onRefused` when the answer is out, so that it cannot change that.
   */
  tell (told: Told): void {
    const error = this.#error
    const status = this.#isAborted ? undefined : told.status
    const { kind, effect, isEntered, isTimedOut } = told
    const reason = isRefusalError(error) ? error.reason : undefined
    const outcome = outcomeOf({ kind, effect, status, code: error?.code, reason, isEntered, isTimedOut })
    if (this.#clock !== undefined) {
      const isError = status === undefined || status >= 400 || isRefusal(outcome)
      const message = new Message(
        this.#request, told, this.#route, outcome, isError ? error?.code : undefined,
        this.#clock.attemptsOf(told.key), this.#clock.time, status
      )
      this.#clock = undefined
      outcomes.publish(message)
    }
    if (this.#isClosed && this.#onRefused !== undefined) {
      const onRefused = this.#onRefused
      this.#onRefused = undefined
      if (error !== undefined && isRefusal(outcome)) void this.#call(onRefused, error)
    }
  }

  async #call (onRefused: OnRefused, error: IfMatchError): Promise<void> {
    try {
      await onRefused(this.#request, this.#reply, error)
    } catch (err) {
      this.#request.log.error({ err }, 'The function "onRefused" of fastify-if-match failed.')
    }
  }
}

function oursIn (error: unknown): IfMatchError | undefined {
  let cause = error
  for (let depth = 0; depth < DEEPEST_CAUSE; depth++) {
    if (isIfMatchError(cause)) return cause
    cause = (cause as Error | undefined | null)?.cause
  }
  return undefined
}

// Its accessors are on the prototype: a log, a copy and JSON have the other properties alone.
class Message implements OutcomeMessage {
  readonly #request: FastifyRequest
  readonly #key: string | undefined
  readonly method: string
  readonly strategy: Strategy
  readonly isLetThrough: boolean

  constructor (
    request: FastifyRequest,
    { key, strategy, isLetThrough }: Told,
    readonly route: string,
    readonly outcome: Outcome,
    readonly code: ErrorCode | undefined,
    readonly attempts: number,
    readonly storageTime: number,
    readonly status: number | undefined
  ) {
    this.#request = request
    this.#key = key
    this.method = request.method
    this.strategy = strategy
    this.isLetThrough = isLetThrough
  }

  get request (): FastifyRequest {
    return this.#request
  }

  get key (): string | undefined {
    return this.#key
  }
}
