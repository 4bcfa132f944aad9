import type { FastifyReply, FastifyRequest } from 'fastify'
import { newRecord, type EntityRecord } from './entity-record.js'
import { InvalidOptionsError, LateWriteError, MalformedError, NotWrittenError, RequiredError } from '../errors.js'
import type { GuardedRoute } from '../route/guard.js'
import { fieldValue, parseIfMatch, type TagList } from '../http/list-header.js'
import { answersNotModified, methodKind, type MethodKind } from '../http/method.js'
import {
  expectationOf,
  normalise,
  preconditionsFor,
  versionsOf,
  type Policy,
  type Preconditions
} from '../http/precondition.js'
import { RequestOptions } from './request-options.js'
import { checkKey } from '../storage/kit/key.js'
import type { ReadOptions, StorageAdapter, Stored } from '../storage/adapter.js'

const NONE: Preconditions = { ifMatch: undefined, ifNoneMatch: undefined }

/** Whether requests of this method are under the guard of a route. */
export function isGuarded (route: GuardedRoute | undefined, method: string): route is GuardedRoute {
  return route !== undefined && (!route.writesOnly || methodKind(method) === 'write')
}

/** What the plugin knows about one request, from its headers to its answer. */
export class RequestState {
  /** What the request demands of its own entity. After a write of its own it demands what it wrote. */
  preconditions = NONE
  /** `If-None-Match` of a GET or HEAD: it is about the answer, so it is judged once the handler has made one (R40). */
  notModified: TagList | undefined
  /** The field that cannot be read. Kept, because a refusal ranks behind authentication and the like (R45). */
  malformed: 'If-Match' | 'If-None-Match' | undefined
  /** The handler of the route was entered. */
  isEntered = false
  /** The tag of the 304 that the answer is. */
  notModifiedTag: string | undefined
  /** The headers that we set, in case another status takes the place of the one that they were for. */
  headersSet: string[] = []
  /** The answer is on its way: nothing may be written any more. */
  isAnswered = false
  /** The entity that the last refusal of a write to the own entity found. */
  refusedBy: Stored | undefined
  readonly kind: MethodKind

  #own: EntityRecord | undefined
  #isChained = false
  #others: Map<string, EntityRecord> | undefined
  #writes: Set<Promise<unknown>> | undefined
  #controller: AbortController | undefined

  constructor (
    readonly request: FastifyRequest,
    readonly reply: FastifyReply,
    readonly storage: StorageAdapter,
    readonly route: GuardedRoute | undefined
  ) {
    this.kind = methodKind(request.method)
    if (route !== undefined && this.kind !== 'exempt') this.#parse(route)
  }

  #parse ({ settings: { compare } }: GuardedRoute): void {
    const ifMatch = this.#list('if-match')
    const ifNoneMatch = this.#list('if-none-match')
    if (ifMatch === undefined && ifNoneMatch === undefined) return
    const isAboutAnswer = answersNotModified(this.request.method)
    // A HEAD is never compressed, and stands for whatever a GET would send.
    if (isAboutAnswer && ifNoneMatch !== undefined) {
      const tags = normalise(ifNoneMatch, compare)
      this.notModified = this.request.method === 'HEAD' ? versionsOf(tags) : tags
    }
    this.preconditions = {
      ifMatch: ifMatch && versionsOf(normalise(ifMatch, compare)),
      ifNoneMatch: isAboutAnswer ? undefined : ifNoneMatch && versionsOf(normalise(ifNoneMatch, compare))
    }
  }

  #list (name: 'if-match' | 'if-none-match'): TagList | undefined {
    const value = fieldValue(this.request.raw, name)
    if (value === undefined) return undefined
    const list = parseIfMatch(value)
    if (list === undefined) this.malformed ??= name === 'if-match' ? 'If-Match' : 'If-None-Match'
    return list
  }

  /** What the operation may do where there is no entity; `creates`: whether it is one that can create. */
  policy (creates: boolean): Policy {
    const { put, other } = this.route!.policies
    return creates && this.request.method === 'PUT' ? put : other
  }

  /** @throws FST_IF_MATCH_MALFORMED: a field that cannot be read is neither true nor absent (R31) */
  demandWellFormed (): void {
    if (this.malformed !== undefined) throw new MalformedError(this.malformed)
  }

  /** @throws FST_IF_MATCH_REQUIRED if the request names no strategy for its write (R1) */
  demandStrategy (): void {
    this.demandWellFormed()
    const { missing } = this.route!.settings
    if (missing === 'allow' || this.#isChained) return
    const { ifMatch, ifNoneMatch } = this.preconditions
    if (ifMatch !== undefined || (ifNoneMatch === '*' && this.policy(true).mayCreate)) return
    const error = new RequiredError()
    error.statusCode = missing
    throw error
  }

  /**
   * Whether an early comparison can tell something: on a read, for a tag, and for what the storage cannot be asked in
   * one expectation. `*` compares nothing, so it needs no read.
   */
  needsComparison (): boolean {
    return (
      this.kind === 'read' ||
      Array.isArray(this.preconditions.ifMatch) ||
      expectationOf(this.preconditions, this.policy(true)) === undefined
    )
  }

  /** The record of the entity that the route acts on. Its key is made on first use, after the validation of the params. */
  get own (): EntityRecord {
    if (this.#own === undefined) {
      const key: unknown = this.route!.keyOf(this.request)
      if (typeof key !== 'string') {
        Promise.resolve(key).catch(() => {}) // a promise is no key, and its rejection is not news
        throw new InvalidOptionsError(this.request.routeOptions.url, 'the function "key" returned no string.')
      }
      checkKey(key)
      this.#own = newRecord(key)
    }
    return this.#own
  }

  /** The same, if anything asked for it yet. */
  get ownRecord (): EntityRecord | undefined {
    return this.#own
  }

  /** The record of an entity by its key: the route's own, if it is that one, so that no key goes around the precondition. */
  record (key: string): EntityRecord {
    checkKey(key)
    if (this.route !== undefined && key === this.own.key) return this.own
    this.#others ??= new Map()
    let record = this.#others.get(key)
    if (record === undefined) this.#others.set(key, record = newRecord(key))
    return record
  }

  /** Whether this is the entity that the preconditions are about. */
  isOwn (record: EntityRecord): boolean {
    return record === this.#own
  }

  /** What goes along to the storage. The signal is made only if the adapter looks at it. */
  options (context: unknown): ReadOptions {
    return new RequestOptions(this, context)
  }

  /**
   * Aborted once nobody waits any more. Not the signal of Fastify's request: over a socket that one fires as soon as the
   * body has been read.
   */
  get signal (): AbortSignal {
    if (this.#controller === undefined) {
      const controller = this.#controller = new AbortController()
      const abort = (): void => { controller.abort(new LateWriteError()) }
      if (this.isOver()) abort()
      else this.reply.raw.once('close', () => { if (!this.isAnswered || this.#isWriting()) abort() })
    }
    return this.#controller.signal
  }

  /** Whether nobody waits for the outcome any more: the answer is out, Fastify's timeout gave one, or the client is gone. */
  isOver (): boolean {
    const { raw } = this.reply
    return (
      this.isAnswered ||
      raw.writableEnded ||
      raw.destroyed ||
      isCanceled(raw) ||
      (this.route?.hasTimeout === true && isTimedOut(this.request))
    )
  }

  /** After a write of its own the request demands what it wrote. Where it asked for no comparison, there still is none. */
  chain (version: string | undefined): void {
    const { ifMatch, ifNoneMatch } = this.preconditions
    if (Array.isArray(ifMatch) || ifNoneMatch !== undefined) {
      this.preconditions = preconditionsFor(version)
      this.#isChained = true
    }
  }

  /**
   * Begins a write, after the last one to the same entity, with which it compares. Remembers it until it ends, and why it
   * failed. On a guarded route its rejection is ours to report, so it never
   * counts as unhandled; on another one nobody would, so it stays what it is.
   */
  track<R> (record: EntityRecord, operation: () => Promise<R>): Promise<R> {
    const write = record.tail === undefined ? operation() : record.tail.then(operation, operation)
    record.tail = write
    if (this.route === undefined) return write
    const writes = this.#writes ??= new Set()
    writes.add(write)
    write.then(() => {
      writes.delete(write)
      record.failure = undefined
    }, (error: unknown) => {
      writes.delete(write)
      record.failure = error
    })
    return write
  }

  #isWriting (): boolean {
    return this.#writes !== undefined && this.#writes.size > 0
  }

  /** Whether the answer, a success, has to wait for writes that the handler did not await. An error does not wait. */
  mustWait (): boolean {
    return this.#isWriting() && this.reply.statusCode < 400
  }

  /** The end of all writes that were started; the first rejection is the answer. */
  async endOfWrites (): Promise<void> {
    while (this.#isWriting()) await Promise.all(this.#writes!)
  }

  /** The handler is entered. */
  enter (): void {
    if (this.kind === 'write') this.demandStrategy()
    this.isEntered = true
  }

  /**
   * Refuses the success of a state-changing handler that never let its precondition decide anything.
   *
   * @throws why its write was not applied, or FST_IF_MATCH_NOT_WRITTEN
   */
  demandWrite (): void {
    if (!this.isEntered || this.kind !== 'write' || this.reply.statusCode >= 400) return
    const { left, failure } = this.own
    if (failure !== undefined) throw failure
    if (left === undefined) throw new NotWrittenError(this.request.method, this.request.routeOptions.url)
  }
}

// The response of an HTTP/2 stream is never destroyed itself.
function isCanceled (raw: object): boolean {
  return (raw as { stream?: { destroyed: boolean } }).stream?.destroyed === true
}

function isTimedOut ({ signal }: FastifyRequest): boolean {
  return signal.aborted && (signal.reason as { code?: string } | undefined)?.code === 'FST_ERR_HANDLER_TIMEOUT'
}
