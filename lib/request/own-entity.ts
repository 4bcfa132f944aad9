import { EntityHandle, type Operation } from './entity-handle.js'
import { isComplete, type Snapshot } from './entity-state.js'
import type { Found } from './entity.js'
import type { GuardedRequest } from './guarded-request.js'
import type { Policy, Preconditions, Refusal } from '../http/precondition.js'
import { refusalError } from '../http/refusal.js'
import type { Stored } from '../storage/adapter.js'

/** The entity that the route acts on: the headers of the request decide. */
export class OwnEntity<T> extends EntityHandle<T, GuardedRequest> {
  constructor (request: GuardedRequest, context: unknown) {
    super(request, request.own, context)
  }

  /** Reads and judges before the handler runs. This spares the handler its work; the write decides. */
  async precheck (): Promise<void> {
    const preconditions = this.request.preconditions.inForce
    const { stored } = await this.#readOnce()
    this.judge('replace', preconditions, stored)
  }

  async read (): Promise<Found<T>> {
    const snapshot = await this.#readOnce()
    if (this.request.kind === 'read') this.judge('read', this.request.preconditions.inForce, snapshot.stored)
    return this.give(snapshot)
  }

  protected preconditionsOf (operation: Operation): Preconditions {
    const { kind, preconditions } = this.request
    // A write needs a strategy whatever the method is: HEAD may reach the branch of a handler that removes.
    if (kind === 'write' || operation !== 'unchanged') preconditions.assertStrategy()
    return operation === 'create' ? { ...preconditions.inForce, ifNoneMatch: '*' } : preconditions.inForce
  }

  protected policy (creates: boolean): Policy {
    return this.request.preconditions.policy(creates)
  }

  protected refusal (verdict: Refusal, preconditions: Preconditions, current: Stored<T> | undefined): Error {
    this.entity.learn(current)
    this.request.response.refusedBy = current
    return refusalError(verdict, preconditions, current !== undefined)
  }

  protected readCurrent (): Promise<Snapshot> | Snapshot {
    return this.entity.known?.isLent === true ? this.readFresh() : this.#readOnce()
  }

  // The answer to a GET has the tag of its first read. Its reads follow one another, so none is older than that one.
  protected override readFresh (): Promise<Snapshot> {
    const read = (): Promise<Snapshot> => this.load()
    if (this.request.kind !== 'read') return read()
    return this.#share(this.entity.reading?.then(read, read) ?? read())
  }

  protected override recordWrite (version: string | undefined): Snapshot {
    this.entity.reading = undefined
    this.request.preconditions.follow(version)
    return super.recordWrite(version)
  }

  #readOnce (): Promise<Snapshot> | Snapshot {
    const { known, reading } = this.entity
    if (isComplete(known)) return known
    return reading ?? this.#share(this.load())
  }

  #share (read: Promise<Snapshot>): Promise<Snapshot> {
    const { entity } = this
    const end = (): void => { if (entity.reading === read) entity.reading = undefined }
    entity.reading = read
    read.then(end, end)
    return read
  }
}
