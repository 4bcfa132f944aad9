import { EntityHandle } from './entity-handle.js'
import { isComplete, type Snapshot } from './entity-state.js'
import type { Operation } from './entity.js'
import type { Scope } from './open-transaction.js'
import { NotReadError } from '../errors.js'
import { preconditionsFor, UNCONDITIONAL, type Policy, type Preconditions, type Refusal } from '../http/precondition.js'
import { furtherRefusalError } from '../http/refusal.js'
import type { Stored } from '../storage/adapter.js'

const CREATES: Policy = { mayCreate: true, wildcardCreates: false, absent: 404 }
const CHANGES: Policy = { mayCreate: false, wildcardCreates: false, absent: 404 }

/** An entity that the headers say nothing about: what the request read of it decides. */
export class FurtherEntity<T> extends EntityHandle<T> {
  /** What was read or written through this handle. Its writes compare with that, whatever other handles read since. */
  #known: Snapshot | undefined

  /** The preconditions of the request are not about it, so nothing tells that it was sent again. */
  protected get resend (): undefined {
    return undefined
  }

  protected readIn (scope: Scope): Promise<Snapshot> {
    return this.load(scope)
  }

  protected saw (snapshot: Snapshot): void {
    this.#known = snapshot
  }

  protected preconditionsOf (operation: Operation, readsFirst: boolean): Preconditions {
    if (operation === 'create') return preconditionsFor(undefined)
    if (readsFirst) return UNCONDITIONAL
    const known = this.#known ?? this.entity.known
    // The work of a transaction is given what it locked.
    if (known === undefined && operation === 'transaction') return UNCONDITIONAL
    if (known === undefined) throw new NotReadError(operation)
    return preconditionsFor(known.version)
  }

  protected policy (creates: boolean): Policy {
    return creates ? CREATES : CHANGES
  }

  // A refusal does not count as a read: a blind retry compares with what was read before, and is refused again.
  protected refusal (
    _operation: Operation,
    verdict: Refusal,
    _preconditions: Preconditions,
    current: Stored<T> | undefined,
    { joined }: Scope
  ): Error {
    const warning = this.request.warningFor(this.entity, joined)
    return furtherRefusalError(verdict, { current: this.refusedBy(current), warning })
  }

  protected readCurrent (scope: Scope): Promise<Snapshot> | Snapshot {
    const { known } = this.entity
    return isComplete(known) && !known.isLent ? known : this.load(scope)
  }

  protected override keep (): () => void {
    const restore = super.keep()
    const known = this.#known
    return () => {
      restore()
      this.#known = known
    }
  }

  protected override recordWrite (version: string | undefined): Snapshot {
    this.#known = super.recordWrite(version)
    return this.#known
  }
}
