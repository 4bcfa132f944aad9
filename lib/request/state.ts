import type { FastifyReply, FastifyRequest } from 'fastify'
import { EntityState } from './entity-state.js'
import { isIfMatchError, LateWriteError } from '../errors.js'
import { methodKind, type MethodKind } from '../http/method.js'
import type { ReadOptions, StorageAdapter } from '../storage/adapter.js'
import { checkKey } from '../storage/kit/key.js'

const APPLIED =
  'An earlier step of this request was applied and stays: read before you send anything again.'
const PERHAPS_APPLIED =
  'Another step of this request may have been applied: read before you send anything again.'

/** A request that works on entities: what it knows of them, and whether anybody still waits for its outcome. */
export class RequestState {
  readonly kind: MethodKind
  #further: Map<string, EntityState> | undefined
  #controller: AbortController | undefined
  /** Whether a write of this request was applied. */
  #hasApplied = false
  /** Whether the outcome of a write of this request is unknown. */
  #isUnknown = false
  /** The entities that a write of this request is under way to: there is one at a time. */
  readonly #underWay = new Set<EntityState>()

  constructor (
    readonly request: FastifyRequest,
    readonly reply: FastifyReply,
    readonly storage: StorageAdapter
  ) {
    this.kind = methodKind(request.method)
  }

  /**
   * The state of an entity other than the one that the route acts on.
   *
   * @throws FST_IF_MATCH_INVALID_KEY
   */
  further (key: string): EntityState {
    checkKey(key)
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
    const started = entity.writing === undefined ? write() : entity.writing.then(write, write)
    entity.writing = started
    return started
  }

  /**
   * Carries out a write to an entity, and remembers what became of it. What is written with a context of the app may be
   * part of a transaction: only the app knows whether it stays.
   */
  async carryOut<R> (entity: EntityState, context: unknown, write: () => Promise<R>): Promise<R> {
    this.#underWay.add(entity)
    try {
      const result = await write()
      if (context === undefined) this.#hasApplied = true
      else this.#isUnknown = true
      return result
    } catch (error) {
      this.#isUnknown ||= isIfMatchError(error) && error.code === 'FST_IF_MATCH_OUTCOME_UNKNOWN'
      throw error
    } finally {
      this.#underWay.delete(entity)
    }
  }

  /**
   * What an error of a step on this entity tells the client in place of "send the request again": undefined unless
   * another write of this request was applied, or may have been or still be.
   */
  warningFor (entity: EntityState): string | undefined {
    if (this.#hasApplied) return APPLIED
    const isOpen = this.#underWay.size > (this.#underWay.has(entity) ? 1 : 0)
    return this.#isUnknown || isOpen ? PERHAPS_APPLIED : undefined
  }

  /** The options of a call of the storage. */
  storageOptions (context: unknown): ReadOptions {
    return new StorageOptions(this, context)
  }

  /** Whether nobody waits for the outcome any more. */
  isOver (): boolean {
    const { raw } = this.reply
    return raw.writableEnded || raw.destroyed || isCanceled(raw)
  }

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

/** The options of a call of the storage. They make no signal unless the adapter looks at it. */
class StorageOptions implements ReadOptions {
  readonly #state: RequestState

  constructor (state: RequestState, readonly context: unknown) {
    this.#state = state
  }

  get signal (): AbortSignal {
    return this.#state.signal
  }

  isOver (): boolean {
    return this.#state.isOver()
  }
}

// The response of an HTTP/2 stream is never destroyed itself (engine-facts#node-http2-response-destroyed).
function isCanceled (raw: object): boolean {
  return (raw as { stream?: { destroyed: boolean } }).stream?.destroyed === true
}
