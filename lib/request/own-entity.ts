import { EntityHandle } from './entity-handle.js'
import { isComplete, type Snapshot } from './entity-state.js'
import type { Found, Operation } from './entity.js'
import type { GuardedRequest } from './guarded-request.js'
import type { Scope } from './open-transaction.js'
import type { Resend } from './resend.js'
import { InvalidOptionsError } from '../errors.js'
import { versionOf } from '../http/entity-tag.js'
import type { Policy, Preconditions, Refusal } from '../http/precondition.js'
import { refusalError } from '../http/refusal.js'
import type { CurrentEntity } from '../refusal-error.js'
import type { ReadOptions, Stored } from '../storage/adapter.js'
import { withoutValue } from '../storage/kit/unless.js'

/** The entity that the route acts on: the headers of the request decide. */
export class OwnEntity<T> extends EntityHandle<T, GuardedRequest> {
  /** What was read through this handle in a context, and that context. */
  #seen: { snapshot: Snapshot, context: unknown } | undefined

  private constructor (request: GuardedRequest, context: unknown) {
    super(request, request.own, context)
  }

  /** The handle of a request for this context. Without a context, a request has one: hooks and its handler share it. */
  static of<T> (request: GuardedRequest, context?: unknown): OwnEntity<T> {
    if (context !== undefined) return new OwnEntity<T>(request, context)
    request.handle ??= new OwnEntity<T>(request, undefined)
    return request.handle as OwnEntity<T>
  }

  /**
   * Reads and judges before the handler is entered. This spares the handler its work; the write decides.
   *
   * @param done called once the handler may be entered, or with FST_IF_MATCH_PRECONDITION_FAILED,
   * FST_IF_MATCH_ENTITY_ABSENT, and what `enter` of the request throws; not called after a 304, which is sent
   */
  precheck (done: (error?: Error) => void): void {
    const { entity, scope } = this
    const { response, reply, preconditions: { inForce } } = this.request
    const reading = this.#readToCompare(scope)
    const end = (): void => { if (entity.reading === reading) entity.reading = undefined }
    Promise.resolve(reading).then(({ stored }) => {
      end()
      // From another run of the hook: its 304 is on its way.
      if (response.isNotModified) return
      try {
        this.#judgeEarly(inForce, stored, scope)
      } catch (error) {
        done(error as Error)
        return
      }
      // Fastify enters no handler once an answer is on its way.
      if (response.isNotModified) reply.send()
      else done()
    }, (error: Error) => {
      end()
      done(error)
    })
  }

  #judgeEarly (inForce: Preconditions, stored: Stored<T> | undefined, scope: Scope): void {
    const { preconditions, kind, response } = this.request
    // A list in If-None-Match is true where there is no entity, and names no strategy. Of `*`, 404 says that this route
    // cannot do it (decision 0005).
    if (stored === undefined && kind === 'write' && Array.isArray(inForce.ifNoneMatch)) preconditions.assertStrategy()
    this.judge('replace', inForce, stored, scope)
    // An absent entity was refused.
    if (this.#isEarly) response.becomeNotModifiedEarly(preconditions.copies!, stored!.version)
    if (!response.isNotModified) this.request.enter()
  }

  /** Whether a 304 is answered ahead of the handler, if the client has a current copy. */
  get #isEarly (): boolean {
    const { isNotModifiedEarly, preconditions } = this.request
    return isNotModifiedEarly && preconditions.copies !== undefined
  }

  protected get resend (): Resend | undefined {
    const { resend } = this.request
    return resend?.isUsed === true ? resend : undefined
  }

  protected readIn (scope: Scope): Promise<Snapshot> | Snapshot {
    return scope.context === undefined ? this.#readOnce(scope) : this.#readInContext(scope)
  }

  /** A read judges nothing but an absence: a check of permission may begin with it (RFC 9110 13.2.1). */
  protected saw (snapshot: Snapshot, scope: Scope): void {
    // The option `absent` is about this absence, too.
    if (snapshot.stored === undefined && this.#isReading() && this.request.isEntered) {
      this.judge('read', this.request.preconditions.inForce, undefined, scope)
    }
  }

  override async unchanged (): Promise<Found<T>> {
    if (!this.#isReading()) return await super.unchanged()
    const { scope } = this
    return await this.startRead(scope, this.readFresh(scope).then((snapshot) => this.give(snapshot, scope)))
  }

  /**
   * Judges a read by what it read, where the answer is a success without its precondition (RFC 9110 13.2.1).
   *
   * @throws FST_IF_MATCH_PRECONDITION_FAILED, FST_IF_MATCH_ENTITY_ABSENT
   */
  assertReadPrecondition (): void {
    const { first } = this.entity
    const { inForce } = this.request.preconditions
    if (first === undefined || !this.#isReading()) return
    // A handler may answer something else in place of an absent entity, unless the client named a version of it.
    if (first.stored === undefined && inForce.ifMatch === undefined) return
    this.judge('read', inForce, first.stored, this.scope)
  }

  /** Whether the method only reads, and the request did nothing else so far. */
  #isReading (): boolean {
    return this.request.kind === 'read' && this.entity.writing === undefined
  }

  protected override told (error: unknown, scope: Scope): unknown {
    this.request.trace?.note(error)
    return super.told(error, scope)
  }

  protected preconditionsOf (operation: Operation): Preconditions {
    const { preconditions } = this.request
    this.request.resend?.assertWellFormed()
    // A write needs a strategy whatever the method is: HEAD may reach the branch of a handler that removes.
    if (this.request.kind === 'write' || operation !== 'unchanged') preconditions.assertStrategy()
    return operation === 'create' ? { ...preconditions.inForce, ifNoneMatch: '*' } : preconditions.inForce
  }

  protected policy (creates: boolean): Policy {
    return this.request.preconditions.policy(creates)
  }

  protected refusal (
    operation: Operation,
    verdict: Refusal,
    preconditions: Preconditions,
    current: Stored<T> | undefined,
    { context, joined }: Scope
  ): Error {
    const { mayCreate } = this.policy(true)
    const { request, response, preconditions: { sent } } = this.request
    if (operation === 'create' && current === undefined && !mayCreate) {
      return new InvalidOptionsError(
        `${request.method} ${request.routeOptions.url}`,
        'its handler calls create(), and the route may not create its entity. Set the option "create" in its ' +
        'config.ifMatch, or create another entity with request.entity(key).'
      )
    }
    this.entity.learn(current)
    const found = this.refusedBy(current)
    // What a context of the app sees may never be committed: the answer reads again.
    response.refusedBy = found && context !== undefined ? OwnEntity.of(this.request).#named(found) : found
    return refusalError(verdict, {
      method: request.method,
      mayCreate,
      preconditions,
      sent,
      current: found,
      ownWrite: current && this.resend?.ownWrite(current),
      warning: this.request.warningFor(this.entity, joined)
    })
  }

  /** The entity by its version alone: whoever asks for its value reads it through this handle. */
  #named ({ version }: CurrentEntity): CurrentEntity {
    return this.refusedBy(withoutValue<T>({ version }))!
  }

  protected readCurrent (scope: Scope): Promise<Snapshot> | Snapshot {
    return this.entity.known?.isLent === true ? this.readFresh(scope) : this.#readOnce(scope)
  }

  // The answer to a GET has the tag of its first read. Its reads follow one another, so none is older than that one.
  protected override readFresh (scope: Scope): Promise<Snapshot> {
    const read = (): Promise<Snapshot> => this.load(scope)
    if (this.request.kind !== 'read') return read()
    return this.#share(this.entity.reading?.then(read, read) ?? read())
  }

  // What must hold, and the tag of a 412, are those of what is committed.
  protected override keep (): () => void {
    const { request: { preconditions, resend, response } } = this
    const { refusedBy } = response
    const restores = [super.keep(), preconditions.keepInForce()]
    if (resend !== undefined) restores.push(resend.keep())
    return () => {
      for (const restore of restores) restore()
      response.refusedBy = refusedBy
    }
  }

  protected override recordWrite (version: string | undefined): Snapshot {
    this.entity.reading = undefined
    this.request.response.refusedBy = undefined
    this.request.preconditions.follow(version)
    return super.recordWrite(version)
  }

  // What was read without the context is not what the caller's transaction sees, so the adapter is asked.
  #readInContext (scope: Scope): Promise<Snapshot> | Snapshot {
    const { known } = this.entity
    const isSeen = known === this.#seen?.snapshot && this.#seen?.context === scope.context
    return isSeen && isComplete(known) ? known : this.load(scope)
  }

  // What a transaction sees may be older than what the precheck read, and the tag of a GET must not be newer than its
  // body: until the handler was given a value, the latest snapshot is the first one.
  protected override load (scope: Scope, unless?: ReadOptions['unless']): Promise<Snapshot> {
    const loading = super.load(scope, unless)
    return scope.context === undefined ? loading : loading.then((snapshot) => this.#foundInContext(snapshot, scope))
  }

  #foundInContext (snapshot: Snapshot, { context }: Scope): Snapshot {
    if (this.entity.first?.isLent !== true) this.entity.first = snapshot
    this.#seen = { snapshot, context }
    return snapshot
  }

  #readOnce (scope: Scope): Promise<Snapshot> | Snapshot {
    const { known, reading } = this.entity
    if (isComplete(known)) return known
    if (reading === undefined) return this.#share(this.load(scope))
    // The comparison may have read no value.
    return reading.then((snapshot) => isComplete(snapshot) ? snapshot : this.#readOnce(scope))
  }

  // Whoever called it ends the sharing: one promise less than `#share` makes, in each request.
  #readToCompare (scope: Scope): Promise<Snapshot> | Snapshot {
    const { entity } = this
    if (isComplete(entity.known)) return entity.known
    entity.reading ??= this.load(scope, this.#unless())
    return entity.reading
  }

  // Most handlers of PUT and DELETE need no value. Those of other writes most often change the one that is there.
  #unless (): ReadOptions['unless'] {
    const { request: { method }, preconditions: { copies } } = this.request
    if (method === 'PUT' || method === 'DELETE') return '*'
    if (!this.#isEarly) return undefined
    return copies === '*' ? '*' : copies!.map(({ opaque }) => versionOf(opaque))
  }

  #share (read: Promise<Snapshot>): Promise<Snapshot> {
    const { entity } = this
    const end = (): void => { if (entity.reading === read) entity.reading = undefined }
    entity.reading = read
    read.then(end, end)
    return read
  }
}
