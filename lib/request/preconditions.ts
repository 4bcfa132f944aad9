import type { FastifyRequest } from 'fastify'
import { ContentRangeError, MalformedError, RequiredError } from '../errors.js'
import type { GuardedRoute } from '../route/guard.js'
import { fieldValue, parseTagList, type TagList } from '../http/list-header.js'
import { answersNotModified, type MethodKind } from '../http/method.js'
import {
  expectationOf,
  normalise,
  preconditionsFor,
  UNCONDITIONAL,
  versionsOf,
  type Policy
} from '../http/precondition.js'

/** What the headers of a request demand of the entity that its route acts on. */
export class RequestPreconditions {
  /** What must hold now: what the headers say; after a write of this request, that its version is still there. */
  inForce = UNCONDITIONAL
  /**
   * `If-None-Match` of a GET or HEAD: the tags of the copies that the client has. It is judged when the handler has
   * made the answer, because it is about that (RFC 9110 13.1.2).
   */
  copies: TagList | undefined
  readonly #request: FastifyRequest
  readonly #kind: MethodKind
  readonly #route: GuardedRoute
  #malformed: 'If-Match' | 'If-None-Match' | undefined
  #followsWrite = false

  constructor (request: FastifyRequest, kind: MethodKind, route: GuardedRoute) {
    this.#request = request
    this.#kind = kind
    this.#route = route
    if (kind !== 'exempt') this.#parse(route)
  }

  #parse ({ settings: { compare } }: GuardedRoute): void {
    const ifMatch = this.#list('if-match')
    const ifNoneMatch = this.#list('if-none-match')
    if (ifMatch === undefined && ifNoneMatch === undefined) return
    const { method } = this.#request
    const isAboutAnswer = answersNotModified(method)
    if (isAboutAnswer && ifNoneMatch !== undefined) {
      const tags = normalise(ifNoneMatch, compare)
      // A HEAD is never compressed, and the copy may be: the version counts.
      this.copies = method === 'HEAD' ? versionsOf(tags) : tags
    }
    this.inForce = {
      ifMatch: ifMatch && versionsOf(normalise(ifMatch, compare)),
      ifNoneMatch: isAboutAnswer ? undefined : ifNoneMatch && versionsOf(normalise(ifNoneMatch, compare))
    }
  }

  // A malformed field is refused later: authentication and the like come first (RFC 9110 13.2.1).
  #list (name: 'if-match' | 'if-none-match'): TagList | undefined {
    const value = fieldValue(this.#request.raw, name)
    if (value === undefined) return undefined
    const list = parseTagList(value)
    if (list === undefined) this.#malformed ??= name === 'if-match' ? 'If-Match' : 'If-None-Match'
    return list
  }

  /** What an operation may do if the entity is absent; `creates`: whether it is one that can create. */
  policy (creates: boolean): Policy {
    const { put, other } = this.#route.policies
    return creates && this.#request.method === 'PUT' ? put : other
  }

  /**
   * @throws FST_IF_MATCH_MALFORMED: a field that cannot be read is neither true nor absent
   * @throws FST_IF_MATCH_CONTENT_RANGE: the part that a PUT carries must not replace the whole (RFC 9110 14.5)
   */
  assertWellFormed (): void {
    const { method, headers } = this.#request
    if (method === 'PUT' && headers['content-range'] !== undefined) throw new ContentRangeError()
    if (this.#malformed !== undefined) throw new MalformedError(this.#malformed)
  }

  /** @throws FST_IF_MATCH_MALFORMED, FST_IF_MATCH_REQUIRED if the request names no strategy for its write */
  assertStrategy (): void {
    this.assertWellFormed()
    const { missing } = this.#route.settings
    if (missing === 'allow' || this.#followsWrite) return
    const { ifMatch, ifNoneMatch } = this.inForce
    if (ifMatch !== undefined || (ifNoneMatch === '*' && this.policy(true).mayCreate)) return
    const error = new RequiredError()
    error.statusCode = missing
    throw error
  }

  /**
   * Whether to compare before the handler runs: on a read, under a tag, and under preconditions that one expectation of
   * the storage cannot say. `*` compares nothing, so it needs no read.
   */
  needsComparison (): boolean {
    return (
      this.#kind === 'read' ||
      Array.isArray(this.inForce.ifMatch) ||
      expectationOf(this.inForce, this.policy(true)) === undefined
    )
  }

  /**
   * Makes the next write compare with the version that the last one left behind. A request that sent `*` or no header
   * goes on without a comparison.
   */
  follow (version: string | undefined): void {
    const { ifMatch, ifNoneMatch } = this.inForce
    if (!Array.isArray(ifMatch) && ifNoneMatch === undefined) return
    this.inForce = preconditionsFor(version)
    this.#followsWrite = true
  }
}
