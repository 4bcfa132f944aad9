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
// 8.8.3), and the semicolon, which separates the parts of a tag: "version;variant;coding".
const PART = /^[\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]+$/

// A compressed answer is another representation, so it has another strong tag: "version;gzip" (decision 0003).
export const CODINGS = ['br', 'deflate', 'gzip', 'zstd'] as const

/**
 * Writes the entity-tag of a version, as the plugin writes it in `ETag` (RFC 9110 8.8.3): for the items of a list, and
 * for the answer of a route that is not guarded.
 *
 * @param version as the storage has it: visible ASCII without double quote, backslash and semicolon
 * @returns a strong tag, with its quotes
 * @throws FST_IF_MATCH_INVALID_VERSION (500) if the version cannot be an opaque-tag
 * @example
 * reply.code(201).header('location', `/orders/${id}`).header('etag', formatEntityTag(version))
 */
export function formatEntityTag (version: string): string {
  if (version === latest.version) return latest.tag
  if (!isPart(version)) throw new InvalidVersionError()
  latest = { version, tag: `"${version}"` }
  return latest.tag
}

// A request asks for the tag of one version several times in a row.
let latest = { version: '0', tag: '"0"' }

/**
 * Writes the ETag of one representation of a version: of a variant, in a content-coding. Undefined: the only variant,
 * and no coding.
 *
 * @returns undefined if the content-coding is not one that `withoutCoding` knows
 * @throws FST_IF_MATCH_INVALID_VERSION (500) if the version cannot be an opaque-tag
 */
export function formatRepresentationTag (
  version: string,
  variant: string | undefined,
  coding: string | undefined
): string | undefined {
  const tag = formatEntityTag(version)
  if (variant === undefined && coding === undefined) return tag
  if (coding !== undefined && !isCoding(coding)) return undefined
  return `"${[version, variant, coding].filter((part) => part !== undefined).join(';')}"`
}

/** Whether a variant may have this name: a part of a tag that cannot be taken for a content-coding (decision 0016). */
export function isVariantName (name: unknown): name is string {
  return isPart(name) && !isCoding(name)
}

/** The version that an opaque-tag is about: what stands behind its first semicolon names a representation of it. */
export function versionOf (opaque: string): string {
  const cut = opaque.indexOf(';')
  return cut === -1 ? opaque : opaque.slice(0, cut)
}

/** The opaque-tag of the same version and variant without a content-coding. */
export function withoutCoding (opaque: string): string {
  const cut = opaque.lastIndexOf(';')
  return cut !== -1 && isCoding(opaque.slice(cut + 1)) ? opaque.slice(0, cut) : opaque
}

function isCoding (name: string): boolean {
  return (CODINGS as readonly string[]).includes(name)
}

function isPart (text: unknown): text is string {
  return typeof text === 'string' && PART.test(text)
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
