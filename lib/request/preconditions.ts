import type { FastifyRequest } from 'fastify'
import { validatedHeaders } from './ahead-of-validation.js'
import { missingOf, warnOfMissing } from './missing.js'
import { strategyOf, type Strategy } from './outcome.js'
import { ContentRangeError, MalformedError, RequiredError } from '../errors.js'
import type { GuardedRoute } from '../route/guard.js'
import { fieldValue, parseTagList, type FieldName, type TagList } from '../http/list-header.js'
import { answersNotModified, type MethodKind } from '../http/method.js'
import type { Missing } from '../options.js'
import {
  expectationOf,
  normalise,
  preconditionsFor,
  UNCONDITIONAL,
  versionsOf,
  withoutCodings,
  type Policy,
  type Preconditions
} from '../http/precondition.js'

/** The values of the two fields, and what was parsed of them. */
interface Parsed {
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly preconditions: Preconditions
  readonly copies: TagList | undefined
  readonly malformed: 'If-Match' | 'If-None-Match' | undefined
}

const FIELDS: readonly FieldName[] = ['if-match', 'if-none-match', 'content-range', 'idempotency-key']

const NOTHING: Parsed = {
  ifMatch: undefined,
  ifNoneMatch: undefined,
  preconditions: UNCONDITIONAL,
  copies: undefined,
  malformed: undefined
}

/**
 * What the headers of a request demand of the entity that its route acts on. Hooks of the app may mend, fill or delete
 * the fields: what counts are the headers as they are when the handler is entered.
 */
export class RequestPreconditions {
  readonly #request: FastifyRequest
  readonly #kind: MethodKind
  readonly #route: GuardedRoute
  #parsed = NOTHING
  #isFixed = false
  /** The fields that the validation of the headers removes. */
  #removed: Partial<Record<FieldName, string | undefined>> | undefined
  /** What must hold since this request wrote: that its version is still there. */
  #sinceWrite: Preconditions | undefined
  /** What the option `missing` says of this request, once a write asked for it. */
  #missing: Missing | undefined

  constructor (request: FastifyRequest, kind: MethodKind, route: GuardedRoute) {
    this.#request = request
    this.#kind = kind
    this.#route = route
    this.#latest()
  }

  /** What must hold now: what the headers say; after a write of this request, that its version is still there. */
  get inForce (): Preconditions {
    return this.#sinceWrite ?? this.sent
  }

  /** What the headers say. */
  get sent (): Preconditions {
    return this.#latest().preconditions
  }

  /**
   * `If-None-Match` of a GET or HEAD: the tags of the copies that the client has. It is judged when the handler has
   * made the answer, because it is about that (RFC 9110 13.1.2).
   */
  get copies (): TagList | undefined {
    return this.#latest().copies
  }

  /** The value of `Idempotency-Key`, for the option `resend`. */
  get idempotencyKey (): string | undefined {
    return this.#value('idempotency-key')
  }

  /** What the headers say about concurrency. */
  get strategy (): Strategy {
    const { preconditions, copies } = this.#latest()
    return strategyOf(preconditions, copies)
  }

  /** Whether a write came without a strategy, and the option `missing` let it through. */
  get isLetThrough (): boolean {
    return this.#missing === 'allow' || this.#missing === 'warn'
  }

  /**
   * Keeps the fields that the validation of the headers will remove: Ajv removes what a strict schema does not list,
   * and a precondition that got lost there would be no precondition at all. What is left, a later hook may delete.
   */
  keep (): void {
    if (this.#request.getValidationFunction('headers') === undefined) return
    this.#removed = undefined
    const sent = FIELDS.map((name) => [name, this.#value(name)] as const).filter(([, value]) => value !== undefined)
    if (sent.length === 0) return
    const left = validatedHeaders(this.#request)
    this.#removed = Object.fromEntries(sent.filter(([name]) => left[name] === undefined))
  }

  /** From here on the headers do not count any more. */
  fix (): void {
    this.#latest()
    this.#isFixed = true
  }

  /** What the headers demand as they are now. They are parsed again only if they were changed. */
  #latest (): Parsed {
    if (this.#isFixed || this.#kind === 'exempt') return this.#parsed
    const ifMatch = this.#value('if-match')
    const ifNoneMatch = this.#value('if-none-match')
    if (ifMatch !== this.#parsed.ifMatch || ifNoneMatch !== this.#parsed.ifNoneMatch) {
      this.#parsed = this.#parse(ifMatch, ifNoneMatch)
    }
    return this.#parsed
  }

  #value (name: FieldName): string | undefined {
    return fieldValue(this.#request.headers, name) ?? this.#removed?.[name]
  }

  // A malformed field is refused later: authentication and the like come first (RFC 9110 13.2.1).
  #parse (ifMatch: string | undefined, ifNoneMatch: string | undefined): Parsed {
    const named = this.#tagsOf(ifMatch)
    const known = this.#tagsOf(ifNoneMatch)
    const isAboutAnswer = answersNotModified(this.#request.method)
    return {
      ifMatch,
      ifNoneMatch,
      preconditions: {
        ifMatch: named && versionsOf(named),
        ifNoneMatch: isAboutAnswer ? undefined : known && versionsOf(known)
      },
      // A HEAD is never compressed, and the copy may be.
      copies: isAboutAnswer ? known && (this.#request.method === 'HEAD' ? withoutCodings(known) : known) : undefined,
      malformed: named === undefined && ifMatch !== undefined
        ? 'If-Match'
        : known === undefined && ifNoneMatch !== undefined ? 'If-None-Match' : undefined
    }
  }

  #tagsOf (value: string | undefined): TagList | undefined {
    const list = value === undefined ? undefined : parseTagList(value)
    return list && normalise(list, this.#route.settings.compare)
  }

  /** What an operation may do if the entity is absent; `creates`: whether it is one that can create. */
  policy (creates: boolean): Policy {
    const { policies, mayCreate } = this.#route
    return creates && mayCreate(this.#request.method) ? policies.creates : policies.changes
  }

  /**
   * @throws FST_IF_MATCH_MALFORMED: a field that cannot be read is neither true nor absent
   * @throws FST_IF_MATCH_CONTENT_RANGE: the part that a PUT carries must not replace the whole (RFC 9110 14.5)
   */
  assertWellFormed (): void {
    if (this.#request.method === 'PUT' && this.#value('content-range') !== undefined) throw new ContentRangeError()
    const { malformed } = this.#latest()
    if (malformed !== undefined) throw new MalformedError(malformed)
  }

  /**
   * @throws FST_IF_MATCH_MALFORMED, FST_IF_MATCH_REQUIRED if the request names no strategy for its write
   * @throws FST_IF_MATCH_INVALID_OPTIONS if the function `missing` fails
   */
  assertStrategy (): void {
    this.assertWellFormed()
    if (this.#sinceWrite !== undefined) return
    const { ifMatch, ifNoneMatch } = this.sent
    const { mayCreate } = this.policy(true)
    if (ifMatch !== undefined || (ifNoneMatch === '*' && mayCreate)) return
    const missing = this.#missingOnce()
    if (missing === 'allow' || missing === 'warn') return
    const error = new RequiredError(mayCreate ? ', or "If-None-Match: *" to create it' : '')
    error.statusCode = missing
    throw error
  }

  // An app may count by its function, so each request asks it once. Until it has answered, and if it fails, no write of
  // the request passes: neither one inside of the function nor one of an error handler.
  #missingOnce (): Missing {
    if (this.#missing === undefined) {
      this.#missing = 400
      this.#missing = missingOf(this.#route.settings.missing, this.#request)
      if (this.#missing === 'warn') warnOfMissing(this.#request)
    }
    return this.#missing
  }

  /**
   * Whether to compare before the handler runs: on a read, under a tag, and under preconditions that one expectation of
   * the storage cannot say. `*` compares nothing, so it needs no read.
   */
  needsComparison (): boolean {
    const { inForce } = this
    return (
      this.#kind === 'read' ||
      Array.isArray(inForce.ifMatch) ||
      expectationOf(inForce, this.policy(true)) === undefined
    )
  }

  /**
   * Makes the next write compare with the version that the last one left behind. A request that sent `*` or no header
   * goes on without a comparison.
   */
  follow (version: string | undefined): void {
    const { ifMatch, ifNoneMatch } = this.inForce
    if (!Array.isArray(ifMatch) && ifNoneMatch === undefined) return
    this.#sinceWrite = preconditionsFor(version)
  }

  /** Keeps what must hold now; the function that it gives brings that back: the write that moved it is rolled back. */
  keepInForce (): () => void {
    const sinceWrite = this.#sinceWrite
    return () => { this.#sinceWrite = sinceWrite }
  }
}
