import { formatEntityTag } from '../http/entity-tag.js'
import { answersNotModified } from '../http/method.js'
import { ifNoneMatchHolds } from '../http/precondition.js'
import type { RequestState } from './state.js'

/** Seconds after which a client may try again what ended in 503. */
const RETRY_AFTER = '1'

/** Headers that describe the body that a 304 does not have (R61, RFC 9110 8.6). */
const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'last-modified'
]

/**
 * Makes the answer a 304 if it would tell a GET or HEAD nothing new: it is a success, and `If-None-Match` names the
 * representation that is about to be sent (R35, R40).
 */
export function becomesNotModified (state: RequestState): boolean {
  const { reply, notModified } = state
  if (notModified === undefined || !isSuccess(reply.statusCode)) return false
  const tag = representationTag(state)
  if (tag === undefined || ifNoneMatchHolds(notModified, tag.slice(1, -1))) return false
  reply.code(304)
  state.notModifiedTag = tag
  return true
}

/** Sets the headers that go with the final status, so that no error handler drops them and no other status has them. */
export function setHeaders (state: RequestState): void {
  const { reply } = state
  const status = reply.statusCode
  for (const name of state.headersSet.splice(0)) reply.removeHeader(name)
  const isFresh = isSuccess(status) || isNotModified(state)
  if (isNotModified(state)) {
    setTag(state, state.notModifiedTag)
    for (const name of BODY_HEADERS) reply.removeHeader(name)
  } else if (isFresh && state.ownRecord?.seen !== undefined) {
    setTag(state, state.kind === 'read' ? representationTag(state) : writtenTag(state))
  } else if (status === 412) {
    setTag(state, state.refusedBy && formatEntityTag(state.refusedBy.version))
  }
  // No client shall edit from a stale copy (R71), or find an old refusal in a cache (R62).
  if (isFresh && answersNotModified(state.request.method) && !reply.hasHeader('cache-control')) { setHeader(state, 'cache-control', 'no-cache') }
  if (status === 400 || status === 412 || status === 428) setHeader(state, 'cache-control', 'no-store')
  if (status === 503 && !reply.hasHeader('retry-after')) setHeader(state, 'retry-after', RETRY_AFTER)
}

/** Whether the answer is a 304 of ours, still: an error that came up on the way has taken its place otherwise. */
export function isNotModified ({ notModifiedTag, reply }: RequestState): boolean {
  return notModifiedTag !== undefined && reply.statusCode === 304
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

// The tag of what a GET sends: a compressed body is another representation, with another strong tag (R14c).
function representationTag (state: RequestState): string | undefined {
  const version = state.ownRecord?.first?.version
  if (version === undefined) return undefined
  const coding = state.reply.getHeader('content-encoding')
  return coding === undefined || coding === 'identity'
    ? formatEntityTag(version)
    : formatEntityTag(version, String(coding))
}

// The tag of what a write left behind; of a removal, of a DELETE however it was done, or of a handler that wrote nothing,
// there is none (R66).
function writtenTag ({ request, ownRecord }: RequestState): string | undefined {
  const version = request.method === 'DELETE' ? undefined : ownRecord?.left?.version
  return version && formatEntityTag(version)
}

function setTag (state: RequestState, tag: string | undefined): void {
  if (tag === undefined) state.reply.removeHeader('etag')
  else setHeader(state, 'etag', tag)
}

function setHeader ({ reply, headersSet }: RequestState, name: string, value: string): void {
  reply.header(name, value)
  headersSet.push(name)
}
