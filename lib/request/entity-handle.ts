import { carryOut } from './conditional-write.js'
import { formatEntityTag } from '../http/entity-tag.js'
import type { Entity, Found, Saved } from './entity.js'
import type { EntityRecord, SeenState } from './entity-record.js'
import { EntityAbsentError, LateWriteError, NotReadError } from '../errors.js'
import { evaluate, preconditionsFor, type Policy, type Preconditions, type Verdict } from '../http/precondition.js'
import { furtherRefusal, refusal } from '../http/refusal.js'
import type { RequestState } from './state.js'
import { checkStored, readFault } from './check-adapter.js'
import { copyJson } from '../storage/kit/json.js'
import type { ReadOptions, RemoveExpectation, StorageAdapter, Stored } from '../storage/adapter.js'

type Operation = 'create' | 'replace' | 'update' | 'remove' | 'unchanged' | 'read'
type Applied = { applied: true, version: string, created: boolean }
type Maker<T> = (current: T | undefined) => T | Promise<T>

const UNCONDITIONAL: Preconditions = { ifMatch: undefined, ifNoneMatch: undefined }

/** What `request.entity()` returns. */
export class EntityHandle<T> implements Entity<T> {
  readonly #state: RequestState
  readonly #record: EntityRecord
  readonly #context: unknown
  /** Of a further entity: what was read or left through this handle. Its writes compare with that, whatever others read since. */
  #known: SeenState | undefined

  constructor (state: RequestState, record: EntityRecord, context: unknown) {
    this.#state = state
    this.#record = record
    this.#context = context
  }

  get key (): string {
    return this.#record.key
  }

  async read (): Promise<Found<T>> {
    const current = this.#isOwn ? await this.#readOnce() : await this.#readAgain()
    if (!this.#isOwn) this.#known = { version: current?.version, stored: undefined }
    if (this.#isOwn && this.#state.kind === 'read') this.#judge('read', this.#state.preconditions, current)
    if (current === undefined) throw new EntityAbsentError()
    if (this.#state.kind !== 'read') return found(copyJson(current.value), current.version)
    this.#record.lent = current
    return found(current.value, current.version)
  }

  /** Reads and judges before the handler runs: a courtesy, the write decides. */
  async precheck (): Promise<void> {
    this.#judge('replace', this.#state.preconditions, await this.#readOnce())
  }

  create (value: T): Promise<Saved<T>> {
    return this.#start(() => this.#write('create', value))
  }

  replace (value: T | Maker<T>): Promise<Saved<T>> {
    return this.#start(() => typeof value === 'function'
      ? this.#write('replace', undefined, value as Maker<T>)
      : this.#write('replace', value))
  }

  update (change: (current: T) => T | Promise<T>): Promise<Saved<T>> {
    return this.#start(() => this.#write('update', undefined, change as Maker<T>))
  }

  remove (): Promise<void> {
    return this.#start(() => this.#remove())
  }

  unchanged (): Promise<Found<T>> {
    return this.#start(() => this.#unchanged())
  }

  get #isOwn (): boolean {
    return this.#state.isOwn(this.#record)
  }

  get #isLent (): boolean {
    const { lent, seen } = this.#record
    return lent !== undefined && lent === seen!.stored
  }

  // Awaited before the answer even if the handler does not.
  #start<R> (operation: () => Promise<R>): Promise<R> {
    return this.#state.track(this.#record, operation)
  }

  async #write (operation: Operation, value: T | undefined, make?: Maker<T>): Promise<Saved<T>> {
    const preconditions = this.#preconditions(operation, make !== undefined)
    const { version, created } = await carryOut<T, Applied>({
      preconditions,
      policy: this.#policy(operation),
      read: () => this.#isLent ? this.#readAgain() : this.#readOnce(),
      // Its own copy: what a function changed and then gave up must not be what the next one starts from.
      prepare: make && (async (current) => { value = await make(current && copyJson(current.value)) }),
      act: (expectation) => {
        this.#refuseIfLate()
        return this.#storage.write(this.key, value as T, expectation, this.#options())
      },
      refusal: (verdict, current) => this.#refusal(verdict, preconditions, current)
    })
    const etag = formatEntityTag(version)
    this.#settle(version)
    return { value: value as T, version, etag, created }
  }

  async #remove (): Promise<void> {
    const preconditions = this.#preconditions('remove', false)
    await carryOut<T, { applied: true }>({
      preconditions,
      policy: this.#policy('remove'),
      read: () => this.#readOnce(),
      prepare: undefined,
      act: (expectation) => {
        this.#refuseIfLate()
        // Never `absent` or `any`: where there is no entity, a removal was refused by now.
        return this.#storage.remove(this.key, expectation as RemoveExpectation, this.#options())
      },
      refusal: (verdict, current) => this.#refusal(verdict, preconditions, current)
    })
    this.#settle(undefined)
  }

  async #unchanged (): Promise<Found<T>> {
    const preconditions = this.#preconditions('unchanged', false)
    const current = await this.#readAgain()
    this.#judge('unchanged', preconditions, current)
    const { value, version } = current! // where there is none, it was refused
    this.#settle(version)
    return found(value, version)
  }

  get #storage (): StorageAdapter<T> {
    return this.#state.storage as StorageAdapter<T>
  }

  #options (): ReadOptions {
    return this.#state.options(this.#context)
  }

  #refuseIfLate (): void {
    if (this.#state.isOver()) throw new LateWriteError()
  }

  // What a GET sends has the tag of its first read, so there they go one after the other: none is older than that (R3).
  #readAgain (): Promise<Stored<T> | undefined> {
    const read = () => this.#readNow()
    if (!this.#isOwn || this.#state.kind !== 'read') return read()
    return this.#underWay(this.#record.reading?.then(read, read) ?? read())
  }

  #underWay (read: Promise<Stored<T> | undefined>): Promise<Stored<T> | undefined> {
    const record = this.#record
    const reading = read.finally(() => { if (record.reading === reading) record.reading = undefined })
    record.reading = reading
    return reading
  }

  async #readNow (): Promise<Stored<T> | undefined> {
    const { left } = this.#record
    let current: Stored<T> | undefined
    try {
      current = await this.#storage.read(this.key, this.#options())
    } catch (cause) {
      throw readFault(cause)
    }
    checkStored(current)
    // A write of this request that ended meanwhile knows better.
    if (this.#record.left === left) {
      this.#see(current)
      this.#record.first ??= this.#record.seen
    }
    return current
  }

  #readOnce (): Promise<Stored<T> | undefined> | Stored<T> | undefined {
    const { seen } = this.#record
    const isKnown = seen !== undefined && (seen.version === undefined || seen.stored !== undefined)
    if (isKnown) return seen.stored
    return this.#record.reading ?? this.#underWay(this.#readNow())
  }

  #see (current: Stored<T> | undefined): void {
    this.#record.seen = { version: current?.version, stored: current }
  }

  // On the own entity what the request demands; on a further one, that it is still what this request read.
  #preconditions (operation: Operation, readsFirst: boolean): Preconditions {
    if (this.#isOwn) {
      // A write asks for a strategy whatever the method is: a HEAD that falls into the branch of a DELETE has none.
      if (this.#state.kind === 'write' || operation !== 'unchanged') this.#state.demandStrategy()
      return operation === 'create' ? { ...this.#state.preconditions, ifNoneMatch: '*' } : this.#state.preconditions
    }
    if (operation === 'create') return preconditionsFor(undefined)
    if (readsFirst) return UNCONDITIONAL
    const known = this.#known ?? this.#record.seen
    if (known === undefined) throw new NotReadError(operation)
    return preconditionsFor(known.version)
  }

  #policy (operation: Operation): Policy {
    const creates = operation === 'create' || operation === 'replace'
    return this.#isOwn ? this.#state.policy(creates) : { mayCreate: creates, wildcardCreates: false, absent: 404 }
  }

  #judge (operation: Operation, preconditions: Preconditions, current: Stored<T> | undefined): void {
    const verdict = evaluate(preconditions, current?.version, this.#policy(operation))
    if (verdict !== 'perform') throw this.#refusal(verdict, preconditions, current)
  }

  #refusal (verdict: Exclude<Verdict, 'perform'>, preconditions: Preconditions, current: Stored<T> | undefined): Error {
    // A refusal is no read: a blind retry on a further entity compares with what was read before, and is refused again.
    if (!this.#isOwn) return furtherRefusal(verdict)
    this.#see(current)
    this.#state.refusedBy = current
    return refusal(verdict, preconditions, current !== undefined)
  }

  #settle (version: string | undefined): void {
    this.#record.seen = this.#record.left = this.#known = { version, stored: undefined }
    this.#record.reading = undefined
    if (this.#isOwn) this.#state.chain(version)
  }
}

function found<T> (value: T, version: string): Found<T> {
  return { value, version, etag: formatEntityTag(version) }
}
