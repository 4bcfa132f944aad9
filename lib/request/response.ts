import type { FastifyReply } from 'fastify'
import type { EntityState } from './entity-state.js'
import type { Represented } from './representation.js'
import { trailersOf } from './trailers.js'
import { copyHeaders, isResponse } from './whatwg-response.js'
import { InvalidOptionsError } from '../errors.js'
import { acceptsCoding } from '../http/accept-encoding.js'
import { CODINGS, formatEntityTag, formatRepresentationTag, isVariantName, withoutCoding } from '../http/entity-tag.js'
import type { TagList } from '../http/list-header.js'
import { answersNotModified, type MethodKind } from '../http/method.js'
import { ifNoneMatchHolds } from '../http/precondition.js'
import { varyByPrefer } from '../http/prefer.js'
import type { Settings } from '../settings.js'
import type { CurrentEntity } from '../refusal-error.js'

/** Seconds after which a client may send again what was certainly not applied. */
const RETRY_AFTER = '1'

/** Headers that describe the body, which a 304 does not have (RFC 9110 15.4.5, 8.6). */
const BODY_HEADERS = new Set([
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'last-modified',
  'trailer',
  'transfer-encoding'
])

/** Headers that describe the bytes of a body, or name what it is, which another body does not keep. */
const OF_ANOTHER_BODY = [
  'content-digest', 'content-disposition', 'content-location', 'content-md5', 'digest', 'repr-digest'
]

/** The headers that the plugin sets, and takes back. */
type HeaderName = 'cache-control' | 'content-location' | 'etag' | 'preference-applied' | 'retry-after'

/** The response to a guarded request: it may become a 304, and has the headers that go with its final status. */
export class GuardedResponse {
  /** The entity that the last refusal found: a 412 has its tag. */
  refusedBy: CurrentEntity | undefined
  readonly #reply: FastifyReply
  readonly #kind: MethodKind
  readonly #variantOf: Settings['variant']
  /** Whether a 412 depends on the field `Prefer`. */
  readonly #mayRepresent: boolean
  /** The tag of the 304 that the response became. */
  #notModifiedTag: string | undefined
  /**
   * The headers that were set: they are removed again if another status takes the place of theirs, unless somebody else
   * has changed them.
   */
  #headersSet: Partial<Record<HeaderName, string>> | undefined

  constructor (reply: FastifyReply, kind: MethodKind, { variant, representation }: Settings) {
    this.#reply = reply
    this.#kind = kind
    this.#variantOf = variant
    this.#mayRepresent = representation !== false && kind === 'write'
  }

  /** Whether the route tells variants apart: which one an answer is may be settled as late as by hooks of onSend. */
  get hasVariants (): boolean {
    return this.#variantOf !== undefined
  }

  /**
   * Turns the response into a 304 if it is a success and the client of a GET or HEAD has a copy of the representation
   * that is about to be sent: its tag is among `copies`, the tags in `If-None-Match` (RFC 9110 13.1.2, 13.2.2). A copy
   * of the same variant without a content-coding will do, whatever a compressor made of the body meanwhile.
   */
  becomeNotModified (copies: TagList | undefined, own: EntityState | undefined): void {
    if (copies === undefined || !isSuccess(this.#reply.statusCode)) return
    const opaque = this.#representationTag(own)?.slice(1, -1)
    if (opaque === undefined || this.#becomeIf(opaque, copies)) return
    const uncoded = withoutCoding(opaque)
    if (uncoded !== opaque) this.#becomeIf(uncoded, copies)
  }

  /**
   * The same ahead of the handler. No compressor has run by then, so a copy in any content-coding that the client
   * accepts will do. A hook that set another status than that of a success has decided already.
   */
  becomeNotModifiedEarly (copies: TagList, version: string): void {
    if (!isSuccess(this.#reply.statusCode) || this.#becomeIf(version, copies)) return
    const field: unknown = this.#reply.request.headers['accept-encoding']
    CODINGS.some((coding) => acceptsCoding(String(field ?? ''), coding) &&
      this.#becomeIf(formatRepresentationTag(version, undefined, coding)!.slice(1, -1), copies))
  }

  /** Whether the client has the copy with this tag: then the response is a 304 with it. */
  #becomeIf (opaque: string, copies: TagList): boolean {
    if (ifNoneMatchHolds(copies, opaque)) return false
    this.#reply.code(304)
    this.#notModifiedTag = `"${opaque}"`
    return true
  }

  /** Whether the response is that 304 still: an error that comes up later takes its place. */
  get isNotModified (): boolean {
    return this.#notModifiedTag !== undefined && this.#reply.statusCode === 304
  }

  /**
   * Takes a `Response` apart as Fastify does after the last hook (engine-facts#fastify-response): its headers count as
   * those of the reply, and its body is what is sent. Its status counted already.
   */
  unpack (payload: unknown): unknown {
    if (!isResponse(payload) || payload.bodyUsed) return payload // of a body that is used up, Fastify makes an error
    copyHeaders(payload, this.#reply)
    return payload.body
  }

  /**
   * Sets the headers of the final status. They are set last, so that no error handler drops them.
   *
   * @param mayResend whether a 503 is certain to have applied nothing: only then may a client be told to send it again
   * @param represented what a 412 carries in place of what the error handler answered
   */
  setHeaders (own: EntityState | undefined, mayResend: boolean, represented?: Represented): void {
    const reply = this.#reply
    const { statusCode, request: { method } } = reply
    this.#removeHeadersSet()
    if (this.isNotModified) {
      // Ahead of the others: the one that was added last can be taken away without making their object slow.
      this.#removeBodyHeaders()
      this.#setTag(this.#notModifiedTag)
    } else if ((isSuccess(statusCode) || statusCode === 304) && own?.known !== undefined) {
      // A 304 of somebody else, too: the tag that its client sent may be one that no write knows.
      this.#setTag(this.#kind === 'read' ? this.#representationTag(own) : this.#writtenTag(own))
    } else if (statusCode === 412) {
      this.#setTag((represented ?? this.refusedBy)?.etag)
      if (this.#mayRepresent) reply.header('vary', varyByPrefer(reply.getHeader('vary')))
      if (represented !== undefined) this.#describe(represented)
    }
    // Caches may keep a 404 that says nothing about it (RFC 9110 15.1), past the creation of the entity.
    if (statusCode === 400 || statusCode === 412 || statusCode === 428) {
      this.#setHeader('cache-control', 'no-store')
    } else if (answersNotModified(method) && !reply.hasHeader('cache-control')) {
      this.#setHeader('cache-control', statusCode < 400 ? 'no-cache' : 'no-store')
    }
    if (statusCode === 503 && mayResend && !reply.hasHeader('retry-after')) {
      this.#setHeader('retry-after', RETRY_AFTER)
    }
    for (const name of trailersOf(reply)) {
      if (statusCode === 304 || statusCode === 204 || method === 'HEAD') reply.removeTrailer(name)
      // Fastify sends the others in chunks, also behind the Content-Length of an error (RFC 9112 6.2).
      else reply.removeHeader('content-length')
    }
  }

  #describe ({ type, location }: Represented): void {
    this.#removeBodyHeaders()
    for (const name of OF_ANOTHER_BODY) this.#removeHeader(name)
    this.#reply.header('content-type', type)
    if (location !== undefined) this.#setHeader('content-location', location)
    this.#setHeader('preference-applied', 'return=representation')
  }

  // The tag of what a GET sends. Another variant, and a compressed body, are representations with strong tags of their
  // own (decisions 0003 and 0016).
  #representationTag (own: EntityState | undefined): string | undefined {
    const version = own?.first?.version
    if (version === undefined) return undefined
    const coding = this.#reply.getHeader('content-encoding')
    const isCoded = coding !== undefined && coding !== 'identity'
    return formatRepresentationTag(version, this.#variant(), isCoded ? String(coding) : undefined)
  }

  #variant (): string | undefined {
    const { request } = this.#reply
    const name: unknown = this.#variantOf?.(request, this.#reply)
    if (name === undefined || isVariantName(name)) return name
    Promise.resolve(name).catch(() => {}) // an async function is refused, so its rejection is handled
    throw new InvalidOptionsError(
      `${request.method} ${request.routeOptions.url}`,
      'the function "variant" returned neither undefined nor a name: visible ASCII without the double quote, the ' +
        'backslash and the semicolon, and not the name of a content-coding.'
    )
  }

  // The tag of what a write left behind. The success of a DELETE has none, however it was done (RFC 9110 9.3.5).
  #writtenTag ({ written }: EntityState): string | undefined {
    const version = this.#reply.request.method === 'DELETE' ? undefined : written?.version
    return version && formatEntityTag(version)
  }

  #setTag (tag: string | undefined): void {
    if (tag === undefined) this.#removeHeader('etag')
    else this.#setHeader('etag', tag)
  }

  #setHeader (name: HeaderName, value: string): void {
    this.#reply.header(name, value)
    this.#headersSet ??= {}
    this.#headersSet[name] = value
  }

  // To remove a header that is not there would make the object that holds them slow.
  #removeHeader (name: string): void {
    if (this.#reply.hasHeader(name)) this.#reply.removeHeader(name)
  }

  // An answer has few headers: to look at those is quicker than to ask for each of the others.
  #removeBodyHeaders (): void {
    for (const name of Object.keys(this.#reply.getHeaders())) {
      if (BODY_HEADERS.has(name)) this.#removeHeader(name)
    }
  }

  #removeHeadersSet (): void {
    const set = this.#headersSet
    if (set === undefined) return
    this.#headersSet = undefined
    for (const [name, value] of Object.entries(set)) {
      if (this.#reply.getHeader(name) === value) this.#reply.removeHeader(name)
    }
  }
}

function isSuccess (status: number): boolean {
  return status >= 200 && status < 300
}
