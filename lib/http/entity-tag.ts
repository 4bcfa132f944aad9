import { InvalidVersionError } from '../errors.js'

/** An entity-tag as a request presents it (RFC 9110 8.8.3). */
export interface EntityTag {
  /** The opaque-tag without its quotes: latin1 code units as they came, never decoded or unescaped (R11, R12). */
  readonly opaque: string
  /** Marked with `W/`. */
  readonly weak: boolean
}

/** Both strong, and equal octet by octet (RFC 9110 8.8.3.2): what `If-Match` asks for. */
export function strongCompare (a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.opaque === b.opaque
}

/** Equal whether marked weak or not (RFC 9110 8.8.3.2): what `If-None-Match` asks for. */
export function weakCompare (a: EntityTag, b: EntityTag): boolean {
  return a.opaque === b.opaque
}

// Visible ASCII without the double quote, which ends a tag, the backslash, which old recipients unescape (R11), and
// the semicolon, which sets off the content-coding below.
const VERSION = /^[\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]+$/

// A compressed answer is another representation, so its strong tag is another one (R14c, R18): version;gzip.
const CODINGS = ['br', 'deflate', 'gzip', 'zstd']

/**
 * The ETag of a version; of its representation in a content-coding, if one is given.
 *
 * @returns undefined if the content-coding is one that `versionOf` would not know
 * @throws FST_IF_MATCH_INVALID_VERSION (500) if the version cannot be an opaque-tag
 */
export function formatEntityTag (version: string): string
export function formatEntityTag (version: string, coding: string): string | undefined
export function formatEntityTag (version: string, coding?: string): string | undefined {
  if (typeof version !== 'string' || !VERSION.test(version)) throw new InvalidVersionError()
  if (coding === undefined) return `"${version}"`
  return CODINGS.includes(coding) ? `"${version};${coding}"` : undefined
}

/** The version that an opaque-tag is about: without the content-coding that `formatEntityTag` added (R17). */
export function versionOf (opaque: string): string {
  const cut = opaque.lastIndexOf(';')
  return cut !== -1 && CODINGS.includes(opaque.slice(cut + 1)) ? opaque.slice(0, cut) : opaque
}

/**
 * Reads the entity-tag that begins at `start`. One pass, no pattern: quotes delimit, so a comma inside is no separator.
 *
 * @returns the tag and the position behind it, or undefined if there is no well-formed tag (R8 to R10)
 */
export function scanEntityTag (text: string, start: number): { tag: EntityTag, end: number } | undefined {
  const weak = text.startsWith('W/', start)
  const open = weak ? start + 2 : start
  if (text[open] !== '"') return undefined
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return { tag: { opaque: text.slice(open + 1, at), weak }, end: at + 1 }
    if (code < 0x21 || code === 0x7f || code > 0xff) return undefined
  }
  return undefined
}
