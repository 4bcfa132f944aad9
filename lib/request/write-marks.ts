/** What tells one request from all others. */
export interface RequestMark {
  /** A hash of who sent it, to where, and of its key; or else of all that it says. */
  readonly id: string
  /** A hash of all that it says, where a key names the request; undefined where `id` has it. */
  readonly content: string | undefined
}

/**
 * What the digest of an entity says of a request: that its write made the current version (`'current'`), that a later
 * one of its writes did (`'later'`), that its write was applied and others wrote since (`'superseded'`), or that its
 * key belongs to a request with another content (`'reused'`). Undefined: nothing.
 */
export type EarlierTry = 'current' | 'later' | 'superseded' | 'reused'

/** How many writes a digest remembers: with this many it has at most 187 characters, and a column may have 255. */
const REMEMBERED = 4

const MARK = /^([\w-]{22})(?:\.([\w-]{22}))?(\+?)$/
const BETWEEN = '~'
const LATER = '+'

/**
 * The digest that a write stores: the mark of its request, and those of the writes before it.
 *
 * @param isLater whether the request has written to the entity before: the success of that write is another one
 * @param before the digest of the version that the write replaces, undefined: none, or not known
 */
export function digestOf ({ id, content }: RequestMark, isLater: boolean, before: string | undefined): string {
  const own = `${id}${content === undefined ? '' : `.${content}`}${isLater ? LATER : ''}`
  return [own, ...marksIn(before)].slice(0, REMEMBERED).join(BETWEEN)
}

/** What the digest of an entity says of a request. A digest that is not one of `digestOf` says nothing. */
export function earlierTry (mark: RequestMark, digest: string | undefined): EarlierTry | undefined {
  for (const [index, text] of marksIn(digest).entries()) {
    const [, id, content, later] = MARK.exec(text)!
    if (id !== mark.id) continue
    if (content !== mark.content) return 'reused'
    if (index > 0) return 'superseded'
    return later === LATER ? 'later' : 'current'
  }
  return undefined
}

function marksIn (digest: string | undefined): string[] {
  const marks = digest?.split(BETWEEN, REMEMBERED) ?? []
  return marks.every((mark) => MARK.test(mark)) ? marks : []
}
