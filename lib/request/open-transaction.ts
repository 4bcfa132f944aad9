import { isIfMatchError, type ErrorCode } from '../errors.js'

/** The errors of an operation that changed nothing: the work may catch them, and go on. */
const HARMLESS = new Set<ErrorCode>([
  'FST_IF_MATCH_PRECONDITION_FAILED',
  'FST_IF_MATCH_ENTITY_ABSENT',
  'FST_IF_MATCH_NOT_READ'
])

/** A transaction whose work is running. The operations of the request that begin meanwhile are part of it. */
export class OpenTransaction {
  /** The context by which the adapter carries out an operation inside the transaction. */
  readonly context: { readonly client: unknown }
  readonly #writes = new Set<Promise<unknown>>()
  readonly #undo: Array<() => void> = []
  /** Why the transaction must not be committed. */
  #failure: { error: unknown } | undefined

  constructor (client: unknown) {
    this.context = { client }
  }

  /** Whether a handle with this context works inside the transaction. */
  includes (context: unknown): boolean {
    return context === undefined || (context as { client?: unknown } | null)?.client === this.context.client
  }

  /** Adds a write. What it did in part must not be committed, even if the work catches its error. */
  add (write: Promise<unknown>): void {
    this.#writes.add(write)
    write.catch((error: unknown) => {
      if (!isIfMatchError(error) || !HARMLESS.has(error.code)) this.#failure ??= { error }
    })
  }

  /** Adds what is to be undone if the transaction is rolled back. */
  onRollback (undo: () => void): void {
    this.#undo.push(undo)
  }

  /**
   * Runs the work, and waits for the writes that it did not await, also if it fails: none must be sent behind the end.
   *
   * @throws the error of the work, or of the first write that failed, but for refusals, which changed nothing
   */
  async carryOut<R> (work: () => Promise<R>): Promise<R> {
    const [outcome] = await Promise.allSettled([work()])
    for (let count = -1; count < this.#writes.size;) {
      count = this.#writes.size
      await Promise.allSettled(this.#writes)
    }
    if (outcome.status === 'rejected') throw outcome.reason
    if (this.#failure !== undefined) throw this.#failure.error
    return outcome.value
  }

  /** Forgets what the request learned inside the transaction. */
  rollBack (): void {
    while (this.#undo.length > 0) this.#undo.pop()!()
  }
}
