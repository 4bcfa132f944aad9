import type { FastifyReply } from 'fastify'
import type { EntityState } from './entity-state.js'
import { InvalidOptionsError } from '../errors.js'
import { formatEntityTag, formatRepresentationTag, isVariantName, withoutCoding } from '../http/entity-tag.js'
import type { TagList } from '../http/list-header.js'
import { answersNotModified, type MethodKind } from '../http/method.js'
import { ifNoneMatchHolds } from '../http/precondition.js'
import type { Settings } from '../options.js'
import type { Stored } from '../storage/adapter.js'

/** Seconds after which a client may try again what ended in 503. */
const RETRY_AFTER = '1'

/** Headers that describe the body, which a 304 does not have (RFC 9110 15.4.5, 8.6). */
const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'last-modified'
]

/** The response to a guarded request: it may become a 304, and has the headers that go with its final status. */
export class GuardedResponse {
  /** The entity that the last refusal found: a 412 has its tag. */
  refusedBy: Stored | undefined
  readonly #reply: FastifyReply
  readonly #kind: MethodKind
  readonly #variantOf: Settings['variant']
  /** The tag of the 304 that the response became. */
  #notModifiedTag: string | undefined
  /** The names of the headers that were set: they are removed again if another status takes the place of theirs. */
  readonly #headersSet: string[] = []

  constructor (reply: FastifyReply, kind: MethodKind, { variant }: Settings) {
    this.#reply = reply
    this.#kind = kind
    this.#variantOf = variant
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
    if (opaque === undefined) return
    const held = [opaque, withoutCoding(opaque)].find((tag) => !ifNoneMatchHolds(copies, tag))
    if (held === undefined) return
    this.#reply.code(304)
    this.#notModifiedTag = `"${held}"`
  }

  /** Whether the response is that 304 still: an error that comes up later takes its place. */
  get isNotModified (): boolean {
    return this.#notModifiedTag !== undefined && this.#reply.statusCode === 304
  }

  /** Sets the headers of the final status. They are set last, so that no error handler drops them. */
  setHeaders (own: EntityState | undefined): void {
    const reply = this.#reply
    const { statusCode } = reply
    for (const name of this.#headersSet.splice(0)) reply.removeHeader(name)
    const isFresh = isSuccess(statusCode) || this.isNotModified
    if (this.isNotModified) {
      this.#setTag(this.#notModifiedTag)
      for (const name of BODY_HEADERS) reply.removeHeader(name)
    } else if (isFresh && own?.known !== undefined) {
      this.#setTag(this.#kind === 'read' ? this.#representationTag(own) : this.#writtenTag(own))
    } else if (statusCode === 412) {
      this.#setTag(this.refusedBy && formatEntityTag(this.refusedBy.version))
    }
    // Caches must revalidate a copy before it is used (RFC 9111 5.2.2.4), and must not store a refusal.
    if (isFresh && answersNotModified(reply.request.method) && !reply.hasHeader('cache-control')) {
      this.#setHeader('cache-control', 'no-cache')
    }
    if (statusCode === 400 || statusCode === 412 || statusCode === 428) this.#setHeader('cache-control', 'no-store')
    if (statusCode === 503 && !reply.hasHeader('retry-after')) this.#setHeader('retry-after', RETRY_AFTER)
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
    if (tag === undefined) this.#reply.removeHeader('etag')
    else this.#setHeader('etag', tag)
  }

  #setHeader (name: string, value: string): void {
    this.#reply.header(name, value)
    this.#headersSet.push(name)
  }
}

/** Releases a body that will not be sent: a stream of either kind, or the one inside a `Response`. */
export function discard (payload: unknown): void {
  const body = (payload instanceof Response ? payload.body : payload) as
    { destroy?: () => void, cancel?: () => Promise<void> } | null | undefined
  if (typeof body?.destroy === 'function') body.destroy()
  else if (typeof body?.cancel === 'function') body.cancel().catch(() => {})
}

function isSuccess (status: number): boolean {
  return status >= 200 && status < 300
}
