import type { EntityState } from './entity-state.js'
import { isIfMatchError, type ErrorCode } from '../errors.js'

/** The errors of an operation that changed nothing: the work may catch them, and go on. */
const HARMLESS = new Set<ErrorCode>([
  'FST_IF_MATCH_PRECONDITION_FAILED',
  'FST_IF_MATCH_ENTITY_ABSENT',
  'FST_IF_MATCH_NOT_READ'
])

/**
 * What an operation is part of. It is settled when the operation begins, however late its steps are carried out: one
 * that began ahead of a transaction is applied by itself, and one that began inside of it is applied, or not, with it.
 */
export interface Scope {
  /** The context that the storage is given. */
  readonly context: unknown
  /** The transaction of the request that the operation is part of. */
  readonly joined: OpenTransaction | undefined
}

/** A transaction whose work is running. The operations of the request that begin meanwhile are part of it. */
export class OpenTransaction {
  /** The context by which the adapter carries out an operation inside the transaction. */
  readonly context: { readonly client: unknown }
  // Made when they are needed: most works write through the client alone.
  #underWay: Set<Promise<unknown>> | undefined
  #undo: Array<() => void> | undefined
  /** Why the transaction must not be committed. */
  #failure: { error: unknown } | undefined

  /** @param entity the one that the transaction is about */
  constructor (client: unknown, readonly entity: EntityState) {
    this.context = { client }
  }

  /** Whether a handle with this context works inside the transaction. */
  includes (context: unknown): boolean {
    return context === undefined || (Object(context) as { client?: unknown }).client === this.context.client
  }

  /** Adds a write. What it did in part must not be committed, even if the work catches its error. */
  add (write: Promise<unknown>): void {
    this.waitFor(write)
    write.catch((error: unknown) => {
      if (!isIfMatchError(error) || !HARMLESS.has(error.code)) this.fail(error)
    })
  }

  /** Adds a read: what it finds must be known by the time of a rollback, which forgets it. */
  waitFor (operation: Promise<unknown>): void {
    const underWay = this.#underWay ??= new Set()
    underWay.add(operation)
    const end = (): void => { underWay.delete(operation) }
    operation.then(end, end)
  }

  /** Says that the transaction must not be committed, whatever becomes of the error. */
  fail (error: unknown): void {
    this.#failure ??= { error }
  }

  /** Adds what is to be undone if the transaction is rolled back. */
  onRollback (undo: () => void): void {
    this.#undo ??= []
    this.#undo.push(undo)
  }

  /**
   * Runs the work, and waits for what it did not await, also if it fails: nothing must be sent behind the end.
   *
   * @param onEnd called when nothing of the work is under way any more
   * @throws the error of the work, or of the first write that failed, but for refusals, which changed nothing
   */
  async carryOut<R> (work: () => Promise<R>, onEnd: () => void): Promise<R> {
    let result: R
    try {
      result = await work()
    } finally {
      while (this.#underWay !== undefined && this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
      onEnd()
    }
    if (this.#failure !== undefined) throw this.#failure.error
    return result
  }

  /** Forgets what the request learned inside the transaction. */
  rollBack (): void {
    for (let undo = this.#undo?.pop(); undo !== undefined; undo = this.#undo?.pop()) undo()
  }
}
