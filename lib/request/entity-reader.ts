import { asAsked, copyStored, readError } from './check-adapter.js'
import { snapshotOf, versionOnly, type EntityState, type Snapshot } from './entity-state.js'
import type { Found, FoundText, Operation } from './entity.js'
import { withWarning } from './later-step.js'
import { RefusedBy } from './refused-by.js'
import { revisionOf } from './make-value.js'
import type { Scope } from './open-transaction.js'
import type { Resend } from './resend.js'
import type { RequestState } from './state.js'
import { EntityAbsentError } from '../errors.js'
import type { CurrentEntity } from '../refusal-error.js'
import { formatEntityTag } from '../http/entity-tag.js'
import { evaluate, type Policy, type Preconditions, type Refusal } from '../http/precondition.js'
import type { ReadOptions, StorageAdapter, Stored } from '../storage/adapter.js'
import { hasValue } from '../storage/kit/unless.js'

/** What is part of no transaction, as most operations are. */
const ALONE: Scope = { context: undefined, joined: undefined }

/** What a handle knows of its entity, how it reads it, and how it judges what it read. */
export abstract class EntityReader<T, R extends RequestState = RequestState> {
  readonly #request: R
  readonly #entity: EntityState
  readonly #context: unknown

  constructor (request: R, entity: EntityState, context: unknown) {
    this.#request = request
    this.#entity = entity
    this.#context = context
  }

  /** What recognises a write that is sent again; undefined where no write of this handle can be one. */
  protected abstract get resend (): Resend | undefined

  /** What an operation may do if the entity is absent; `creates`: whether it is one that can create. */
  protected abstract policy (creates: boolean): Policy

  /** The error for preconditions of an operation that do not hold for the current entity. */
  protected abstract refusal (
    operation: Operation,
    verdict: Refusal,
    preconditions: Preconditions,
    current: Stored<T> | undefined,
    scope: Scope
  ): Error

  /** The snapshot that a read of the handler is about. */
  protected abstract readIn (scope: Scope): Promise<Snapshot> | Snapshot

  /** Told of that snapshot, ahead of the handler. */
  protected abstract saw (snapshot: Snapshot, scope: Scope): void

  read (): Promise<Found<T>> {
    const { scope } = this
    return this.startRead(scope, this.#read(scope))
  }

  async #read (scope: Scope): Promise<Found<T>> {
    const reading = this.readIn(scope)
    const snapshot = 'then' in reading ? await reading : reading
    this.saw(snapshot, scope)
    return this.give(snapshot, scope)
  }

  readText (): Promise<FoundText> {
    const { scope } = this
    return this.startRead(scope, this.#readText(scope))
  }

  async #readText (scope: Scope): Promise<FoundText> {
    const snapshot = await this.readIn(scope)
    this.saw(snapshot, scope)
    const stored = this.#storedIn(snapshot, scope)
    return { text: stored.json ?? JSON.stringify(stored.value), ...revisionOf(stored.version) }
  }

  get key (): string {
    return this.#entity.key
  }

  // Getters, and no properties: a handle that a handler sends by mistake is serialised as `{}`.
  protected get request (): R {
    return this.#request
  }

  protected get entity (): EntityState {
    return this.#entity
  }

  /** What an operation is part of that begins now. */
  protected get scope (): Scope {
    const { transaction } = this.#request
    if (transaction === undefined && this.#context === undefined) return ALONE
    const joined = transaction?.includes(this.#context) === true ? transaction : undefined
    return { context: this.#context === undefined ? joined?.context : this.#context, joined }
  }

  /** A read that was started; the transaction that it is part of waits for it. */
  protected startRead<S> (scope: Scope, read: Promise<S>): Promise<S> {
    scope.joined?.waitFor(read)
    return read
  }

  /** Keeps what is known of the entity; the function that it gives brings that back. */
  protected keep (): () => void {
    const entity = this.#entity
    const { first, known, written, effect, isRepeated } = entity
    return () => { Object.assign(entity, { first, known, written, effect, isRepeated }) }
  }

  /** What a handler is given of a snapshot. A GET most often just sends the value, so it is given no copy. */
  protected give (snapshot: Snapshot, scope: Scope): Found<T> {
    const { value, version } = this.#storedIn(snapshot, scope)
    return found(snapshot.isLent ? value : copyStored(value), version)
  }

  // The entity of a snapshot that a handler is given. A read gives the value itself.
  #storedIn (snapshot: Snapshot, scope: Scope): Stored<T> {
    if (snapshot.stored === undefined) throw this.told(new EntityAbsentError(), scope)
    if (this.#request.kind === 'read') snapshot.isLent = true
    return snapshot.stored
  }

  /**
   * Reads from the storage. Unless a write of this request ended meanwhile, the snapshot is what the request knows.
   *
   * @param unless the versions of which no value is needed
   */
  protected async load (scope: Scope, unless?: ReadOptions['unless']): Promise<Snapshot> {
    const entity = this.#entity
    const { written } = entity
    scope.joined?.onRollback(this.keep())
    let stored: Stored<T> | undefined
    this.#request.begin()
    try {
      stored = await this.storage.read(entity.key, this.#request.storageOptions(scope.context, unless))
    } catch (cause) {
      const error = readError(cause)
      this.#request.noteFailure(error, false)
      throw this.told(error, scope)
    } finally {
      this.#request.end()
    }
    const snapshot = snapshotOf(asAsked(stored, unless))
    if (entity.written === written) {
      entity.known = snapshot
      entity.first ??= snapshot
    }
    return snapshot
  }

  /** The entity that a refusal found, for its error and for the answer. */
  protected refusedBy (stored: Stored<T> | undefined): CurrentEntity | undefined {
    return stored && new RefusedBy(stored, this)
  }

  /**
   * A copy of what a refusal found, read now if it brought no value: only that of a comparison ahead of the handler
   * does. What others brought is no read of the handler, so no write compares with it.
   */
  async foundIn (stored: Stored<T>): Promise<Found<T>> {
    if (hasValue(stored)) return found(copyStored(stored.value), stored.version)
    const { scope } = this
    const now = (await this.startRead(scope, this.load(scope))).stored
    if (now === undefined) throw this.told(new EntityAbsentError(), scope)
    return found(copyStored(now.value), now.version)
  }

  /** Reads from the storage, whatever is known. */
  protected readFresh (scope: Scope): Promise<Snapshot> {
    return this.load(scope)
  }

  /**
   * @returns whether an earlier try of the request has made the entity what it is
   * @throws the refusal if it has not, and the preconditions do not hold for the current entity
   */
  protected judge (
    operation: Operation,
    preconditions: Preconditions,
    current: Stored<T> | undefined,
    scope: Scope
  ): boolean {
    const verdict = evaluate(preconditions, current?.version, this.policyOf(operation))
    const isRepeated = this.resend?.isRepeated(current, verdict) === true
    if (verdict === 'perform' || isRepeated) return isRepeated
    throw this.told(this.refusal(operation, verdict, preconditions, current, scope), scope)
  }

  /** Records what a write did. What is part of a transaction of this request is undone with that one. */
  protected wrote (version: string | undefined, { context, joined }: Scope, isRepeated?: true): void {
    const { entity } = this
    this.recordWrite(version)
    if (isRepeated) entity.effect ??= 'repeated'
    else if (context === undefined || joined !== undefined) entity.effect = 'applied'
    else if (entity.effect !== 'applied') entity.effect = 'pending'
  }

  /** Records what the request left behind; undefined: the entity was removed. */
  protected recordWrite (version: string | undefined): Snapshot {
    const entity = this.#entity
    entity.known = entity.written = versionOnly(version)
    return entity.written
  }

  protected policyOf (operation: Operation): Policy {
    return this.policy(operation === 'create' || operation === 'replace' || operation === 'transaction')
  }

  /** An error of this step; once another one was applied, it does not invite to send the request again. */
  protected told (error: unknown, { joined }: Scope): unknown {
    return withWarning(error, this.#request.warningFor(this.#entity, joined))
  }

  protected get storage (): StorageAdapter<T> {
    return this.#request.storage as StorageAdapter<T>
  }
}

/** What a handler is given of an entity that was read. */
export function found<T> (value: T, version: string): Found<T> {
  return { value, version, etag: formatEntityTag(version) }
}
