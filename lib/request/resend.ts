import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { addressOf, optionAnswer } from './option-answer.js'
import type { RequestPreconditions } from './preconditions.js'
import { contentOf, contentTypeOf } from './request-content.js'
import { digestOf, earlierTry, type EarlierTry, type RequestMark } from './write-marks.js'
import { IdempotencyKeyError, InvalidOptionsError, KeyReusedError } from '../errors.js'
import { parseIdempotencyKey } from '../http/idempotency-key.js'
import { evaluate, type Verdict } from '../http/precondition.js'
import type { OwnWrite } from '../refusal-error.js'
import type { Settings } from '../settings.js'
import { kindOf } from '../storage/kit/flaws.js'
import type { Expectation, Stored } from '../storage/adapter.js'

type ResendOptions = Exclude<Settings['resend'], false>

const CALLER = 'the function "caller" of the option "resend"'

/** 132 bits of a SHA-256. */
const HASH_LENGTH = 22

/**
 * What a write of a request under the option `resend` leaves in the digest of its entity, and what it finds there of an
 * earlier try (decision 0029).
 */
export class Resend {
  readonly #request: FastifyRequest
  readonly #preconditions: RequestPreconditions
  readonly #callerOf: ResendOptions['caller']
  readonly #constraints: string | undefined
  /** What tells the request from others, once something needs it: before the handler may change its body. */
  #mark: { readonly mark: RequestMark | undefined } | undefined
  #key: string | undefined
  #isPrepared = false
  /** The last write of this request, and the digest that it stored. */
  #written: { readonly version: string, readonly digest: string | undefined } | undefined

  /** @param constraints what tells the route of the request from others with its path */
  constructor (
    request: FastifyRequest,
    preconditions: RequestPreconditions,
    { caller }: ResendOptions,
    constraints: string | undefined
  ) {
    this.#request = request
    this.#preconditions = preconditions
    this.#callerOf = caller
    this.#constraints = constraints
  }

  /** Whether the request may be the repetition of another one: it names a tag, or creates. Never under `*`. */
  get isUsed (): boolean {
    const { ifMatch, ifNoneMatch } = this.#preconditions.sent
    return ifMatch === undefined ? ifNoneMatch === '*' : ifMatch !== '*'
  }

  /** Whether the request has a key, under which nothing is applied twice: its writes look for an earlier one first. */
  get isKeyed (): boolean {
    return this.key !== undefined && this.#written === undefined
  }

  /**
   * The `Idempotency-Key` of the request.
   *
   * @throws FST_IF_MATCH_IDEMPOTENCY_KEY (400)
   */
  get key (): string | undefined {
    if (this.#isPrepared) return this.#key
    const field = this.#preconditions.idempotencyKey
    if (field === undefined) return undefined
    const key = parseIdempotencyKey(field)
    if (key === undefined) throw new IdempotencyKeyError()
    return key
  }

  /**
   * Reads the request as it is now: later changes of its body and its headers do not count.
   *
   * @throws FST_IF_MATCH_IDEMPOTENCY_KEY (400)
   * @throws FST_IF_MATCH_INVALID_OPTIONS (500) if the function `caller` fails
   */
  prepare (): void {
    this.#key = this.key
    if (this.isUsed) this.#markOnce()
    this.#isPrepared = true
  }

  /** @throws FST_IF_MATCH_IDEMPOTENCY_KEY (400) */
  assertWellFormed (): void {
    void this.key
  }

  /**
   * The digest for a write of this request; undefined if nothing tells it from others.
   *
   * @param known the entity as the request knows it: if the write can replace no other version, what its digest
   *   remembers stays
   */
  digest (expectation: Expectation, known: Stored | undefined): string | undefined {
    const mark = this.#markOnce()
    if (mark === undefined) return undefined
    const replaced = expectation.kind === 'version' && expectation.versions.length === 1
      ? [this.#written, known].find((stored) => stored?.version === expectation.versions[0])
      : undefined
    return digestOf(mark, this.#written !== undefined, replaced?.digest)
  }

  /** Notes a write of this request, or what an earlier try of it wrote. */
  wrote (version: string, digest: string | undefined): void {
    this.#written = { version, digest }
  }

  /** Keeps what was written; the function that it gives brings that back. */
  keep (): () => void {
    const written = this.#written
    return () => { this.#written = written }
  }

  /**
   * Whether the current entity is what an earlier try of this very request made: its success is the answer to this one.
   *
   * @param verdict whether the preconditions hold for the current entity
   * @throws FST_IF_MATCH_KEY_REUSED (422) if the key belongs to another write
   */
  isRepeated (current: Stored | undefined, verdict: Verdict): boolean {
    if (current === undefined || this.#written !== undefined) return false
    const found = this.earlierTry(current)
    if (found === undefined) return false
    const { sent } = this.#preconditions
    const held = evaluate(sent, current.replaced, this.#preconditions.policy(true)) === 'perform'
    if (verdict !== 'perform' || !this.isKeyed) return found === 'current' && held
    if (found === 'current') return true
    throw new KeyReusedError('a write that was applied, and the entity was changed since')
  }

  /**
   * Refuses what cannot be repeated, under the current tag, where the key has written what is there: a removal, or a
   * transaction without an answer for that.
   *
   * @throws FST_IF_MATCH_KEY_REUSED (422)
   */
  assertKeyIsNew (current: Stored | undefined, verdict: Verdict): undefined {
    if (verdict !== 'perform' || !this.isKeyed || !this.isRepeated(current, verdict)) return
    throw new KeyReusedError('a write that was applied')
  }

  /**
   * What the digest of an entity says of an earlier try of this request.
   *
   * @throws FST_IF_MATCH_KEY_REUSED (422) if its key belongs to another content
   */
  earlierTry ({ digest }: Stored): Exclude<EarlierTry, 'reused'> | undefined {
    const mark = digest === undefined ? undefined : this.#markOnce()
    const found = mark && earlierTry(mark, digest)
    if (found === 'reused') throw new KeyReusedError('another content')
    return found
  }

  /** What to tell of an earlier try of this request where it is refused. A later write of a request tells nothing. */
  ownWrite (current: Stored): OwnWrite | undefined {
    if (this.#written !== undefined) return undefined
    const found = this.earlierTry(current)
    return found === 'later' ? 'current' : found
  }

  #markOnce (): RequestMark | undefined {
    this.#mark ??= { mark: this.#makeMark() }
    return this.#mark.mark
  }

  #makeMark (): RequestMark | undefined {
    const { method, originalUrl, routeOptions, headers } = this.#request
    const { key } = this
    const caller = this.#caller()
    const content = contentOf(this.#request)
    const { ifMatch, ifNoneMatch } = this.#preconditions.sent
    const said = [originalUrl, contentTypeOf(this.#request), headers['content-encoding'], content?.kind]
    const route = [method, this.#constraints]
    if (key !== undefined) {
      const strategy = ifMatch === undefined ? 'creates' : 'changes'
      return {
        id: hashOf(['key', caller, ...route, routeOptions.url, strategy, key]),
        content: hashOf(said, content?.data)
      }
    }
    if (content === undefined) return undefined
    const id = hashOf(['content', caller, ...route, ifMatch, ifNoneMatch, ...said], content.data)
    return { id, content: undefined }
  }

  #caller (): string {
    const caller = optionAnswer(CALLER, this.#callerOf, this.#request)
    if (typeof caller === 'string' && caller !== '') return caller
    throw new InvalidOptionsError(
      addressOf(this.#request),
      `${CALLER} must return a string that is not empty, and returned ` +
        `${caller === '' ? 'an empty one' : kindOf(caller)}. Refuse who is nobody in a hook.`
    )
  }
}

// As JSON, no member can reach into the next one.
function hashOf (members: readonly unknown[], data: string | NodeJS.ArrayBufferView = ''): string {
  const hash = createHash('sha256').update(JSON.stringify(members.map((member) => member ?? null))).update(data)
  return hash.digest('base64url').slice(0, HASH_LENGTH)
}
