import { MAX_DIGEST_LENGTH } from '../storage/kit/version.js'

/** What tells one request from all others. */
export interface RequestMark {
  /** A hash of who sent it, to where, and of its key; or else of all that it says. 22 characters of base64url. */
  readonly id: string
  /** A hash of all that it says, where a key names the request; undefined where `id` has it. As long. */
  readonly content: string | undefined
}

/**
 * What the digest of an entity says of a request: that its write made the current version (`'current'`), that a later
 * one of its writes did (`'later'`), that its write was applied and others wrote since (`'superseded'`), or that its
 * key belongs to a request with another content (`'reused'`). Undefined: nothing.
 */
export type EarlierTry = 'current' | 'later' | 'superseded' | 'reused'

/** The mark of the write that made the version: only a whole one can prove anything. */
const LAST = /^([\w-]{22})(?:\.([\w-]{22}))?(\+?)$/
/** That of a write before it, cut: it can give no success, so that many are remembered matters more. */
const EARLIER = /^([\w-]{12})(?:\.([\w-]{4}))?$/
const BETWEEN = '~'
const LATER = '+'

/**
 * The digest that a write stores: the mark of its request, and those of the writes before it, as many as there is room
 * for: 11 of requests with a key, 17 of others.
 *
 * @param isLater whether the request has written to the entity before: the success of that write is another one
 * @param before the digest of the version that the write replaces, undefined: none, or not known
 */
export function digestOf (mark: RequestMark, isLater: boolean, before: string | undefined): string {
  const [last, ...earlier] = marksIn(before)
  if (last !== undefined) earlier.unshift(cut(markOf(LAST, last)))
  const digest = [`${textOf(mark)}${isLater ? LATER : ''}`, ...earlier].join(BETWEEN)
  return digest.length <= MAX_DIGEST_LENGTH ? digest : digest.slice(0, digest.lastIndexOf(BETWEEN, MAX_DIGEST_LENGTH))
}

/** What the digest of an entity says of a request. A digest that is not one of `digestOf` says nothing. */
export function earlierTry (mark: RequestMark, digest: string | undefined): EarlierTry | undefined {
  const [last, ...earlier] = marksIn(digest)
  if (last === undefined) return undefined
  const { id, content } = markOf(LAST, last)
  if (id === mark.id) return content !== mark.content ? 'reused' : last.endsWith(LATER) ? 'later' : 'current'
  const own = cut(mark)
  if (earlier.includes(own)) return 'superseded'
  return earlier.some((text) => markOf(EARLIER, text).id === markOf(EARLIER, own).id) ? 'reused' : undefined
}

/** The texts of the marks in a digest, that of the last write first; none if it is not one of `digestOf`. */
function marksIn (digest: string | undefined): string[] {
  const marks = digest?.split(BETWEEN) ?? []
  return marks.every((mark, index) => (index === 0 ? LAST : EARLIER).test(mark)) ? marks : []
}

function markOf (form: RegExp, text: string): RequestMark {
  const [, id, content] = form.exec(text)!
  return { id: id!, content }
}

function textOf ({ id, content }: RequestMark): string {
  return content === undefined ? id : `${id}.${content}`
}

function cut ({ id, content }: RequestMark): string {
  return textOf({ id: id.slice(0, 12), content: content?.slice(0, 4) })
}
