import type { FastifyReply, FastifyRequest } from 'fastify'
import { EntityState } from './entity-state.js'
import { LateWriteError } from '../errors.js'
import { methodKind, type MethodKind } from '../http/method.js'
import type { ReadOptions, StorageAdapter } from '../storage/adapter.js'

/** A request that works on entities: what it knows of them, and whether anybody still waits for its outcome. */
export class RequestState {
  readonly kind: MethodKind
  #further: Map<string, EntityState> | undefined
  #controller: AbortController | undefined

  constructor (
    readonly request: FastifyRequest,
    readonly reply: FastifyReply,
    readonly storage: StorageAdapter
  ) {
    this.kind = methodKind(request.method)
  }

  /** The state of an entity other than the one that the route acts on. */
  further (key: string): EntityState {
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
