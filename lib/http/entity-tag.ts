import { InvalidVersionError } from '../errors.js'

/** An entity-tag as a request presents it (RFC 9110 8.8.3). */
export interface EntityTag {
  /** The opaque-tag without its quotes: latin1 code units as they came, never decoded or unescaped. */
  readonly opaque: string
  /** Whether the tag is marked with `W/`. */
  readonly weak: boolean
}

/** The comparison that `If-Match` asks for: both tags strong, and equal octet by octet (RFC 9110 8.8.3.2). */
export function strongCompare (a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.opaque === b.opaque
}

/** The comparison that `If-None-Match` asks for: equal whether marked weak or not (RFC 9110 8.8.3.2). */
export function weakCompare (a: EntityTag, b: EntityTag): boolean {
  return a.opaque === b.opaque
}

// Visible ASCII without the double quote, which ends a tag, the backslash, which some recipients unescape (RFC 9110
// 8.8.3), and the semicolon, which precedes the content-coding below.
const VERSION = /^[\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]+$/

// A compressed answer is another representation, so it has another strong tag: "version;gzip" (decision 0003).
const CODINGS = ['br', 'deflate', 'gzip', 'zstd']

/**
 * Writes the ETag of a version, or of its representation in a content-coding.
 *
 * @returns undefined if `versionOf` does not know the content-coding
 * @throws FST_IF_MATCH_INVALID_VERSION (500) if the version cannot be an opaque-tag
 */
export function formatEntityTag (version: string): string
export function formatEntityTag (version: string, coding: string): string | undefined
export function formatEntityTag (version: string, coding?: string): string | undefined {
  if (typeof version !== 'string' || !VERSION.test(version)) throw new InvalidVersionError()
  if (coding === undefined) return `"${version}"`
  return CODINGS.includes(coding) ? `"${version};${coding}"` : undefined
}

/** The version that an opaque-tag is about: without the content-coding that `formatEntityTag` added. */
export function versionOf (opaque: string): string {
  const cut = opaque.lastIndexOf(';')
  return cut !== -1 && CODINGS.includes(opaque.slice(cut + 1)) ? opaque.slice(0, cut) : opaque
}

/**
 * Reads the entity-tag that begins at `start`. Quotes delimit it, so a comma inside is part of the tag.
 *
 * @returns the tag and the index behind it, or undefined if no well-formed tag begins there (RFC 9110 8.8.3)
 */
export function scanEntityTag (text: string, start: number): { tag: EntityTag, end: number } | undefined {
  const weak = text.startsWith('W/', start)
  const open = weak ? start + 2 : start
  if (text[open] !== '"') return undefined
  for (let index = open + 1; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x22) return { tag: { opaque: text.slice(open + 1, index), weak }, end: index + 1 }
    if (code < 0x21 || code === 0x7f || code > 0xff) return undefined
  }
  return undefined
}
