import type { FastifyReply } from 'fastify'
import type { EntityState } from './entity-state.js'
import { formatEntityTag } from '../http/entity-tag.js'
import type { TagList } from '../http/list-header.js'
import { answersNotModified, type MethodKind } from '../http/method.js'
import { ifNoneMatchHolds } from '../http/precondition.js'
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
  /** The tag of the 304 that the response became. */
  #notModifiedTag: string | undefined
  /** The names of the headers that were set: they are removed again if another status takes the place of theirs. */
  #headersSet: string[] | undefined

  constructor (reply: FastifyReply, kind: MethodKind) {
    this.#reply = reply
    this.#kind = kind
  }

  /**
   * Turns the response into a 304 if it is a success and the client of a GET or HEAD has a copy of the representation
   * that is about to be sent: its tag is among `copies`, the tags in `If-None-Match` (RFC 9110 13.1.2, 13.2.2).
   */
  becomeNotModified (copies: TagList | undefined, own: EntityState | undefined): void {
    if (copies === undefined || !isSuccess(this.#reply.statusCode)) return
    const tag = this.#representationTag(own)
    if (tag === undefined || ifNoneMatchHolds(copies, tag.slice(1, -1))) return
    this.#reply.code(304)
    this.#notModifiedTag = tag
  }

  /** Whether the response is that 304 still: an error that comes up later takes its place. */
  get isNotModified (): boolean {
    return this.#notModifiedTag !== undefined && this.#reply.statusCode === 304
  }

  /** Sets the headers of the final status. They are set last, so that no error handler drops them. */
  setHeaders (own: EntityState | undefined): void {
    const reply = this.#reply
    const { statusCode } = reply
    this.#removeHeaders()
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

  // The tag of what a GET sends. A compressed body is another representation, with its own strong tag (decision 0003).
  #representationTag (own: EntityState | undefined): string | undefined {
    const version = own?.first?.version
    if (version === undefined) return undefined
    const coding = this.#reply.getHeader('content-encoding')
    return coding === undefined || coding === 'identity'
      ? formatEntityTag(version)
      : formatEntityTag(version, String(coding))
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
    this.#headersSet ??= []
    this.#headersSet.push(name)
  }

  #removeHeaders (): void {
    if (this.#headersSet === undefined) return
    for (const name of this.#headersSet) this.#reply.removeHeader(name)
    this.#headersSet = undefined
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
