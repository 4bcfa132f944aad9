import type { IncomingMessage } from 'node:http'
import { scanEntityTag, type EntityTag } from './entity-tag.js'

/** More members than this, empty ones included, are refused (R27). */
export const MAX_MEMBERS = 256

/** The parsed value of `If-Match` or `If-None-Match`: the wildcard, or a list of one or more tags. */
export type TagList = '*' | readonly EntityTag[]

/**
 * The value of a list field, all its lines joined (R26).
 * Over HTTP/1 Node has joined them; over HTTP/2 it keeps only the first, and the raw headers have the rest.
 *
 * @returns undefined if the field was not sent, `''` if it was sent empty (R32)
 */
export function fieldValue (
  raw: Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersionMajor'>,
  name: 'if-match' | 'if-none-match'
): string | undefined {
  const joined = raw.headers[name]
  if (joined === undefined || raw.httpVersionMajor < 2) return joined
  const lines: string[] = []
  for (let at = 0; at < raw.rawHeaders.length; at += 2) {
    if (raw.rawHeaders[at]!.toLowerCase() === name) lines.push(raw.rawHeaders[at + 1]!)
  }
  return lines.join(', ')
}

/**
 * Parses the value of `If-Match` or `If-None-Match` (RFC 9110 13.1.1, 13.1.2) in one linear pass.
 *
 * @returns undefined if it is malformed: one bad member spoils the whole field (R30), and so does having none (R32)
 */
export function parseTagList (value: string): TagList | undefined {
  const tags: EntityTag[] = []
  let members = 1
  let at = skipSpace(value, 0)
  if (value[at] === '*') return skipSpace(value, at + 1) === value.length ? '*' : undefined
  while (at < value.length) {
    if (value[at] !== ',') {
      const scanned = scanEntityTag(value, at)
      if (scanned === undefined) return undefined
      tags.push(scanned.tag)
      at = skipSpace(value, scanned.end)
      if (at === value.length) break
      if (value[at] !== ',') return undefined
    }
    if (++members > MAX_MEMBERS) return undefined
    at = skipSpace(value, at + 1)
  }
  return tags.length === 0 ? undefined : tags
}

function skipSpace (text: string, at: number): number {
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}
