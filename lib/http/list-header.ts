import type { IncomingMessage } from 'node:http'
import { scanEntityTag, type EntityTag } from './entity-tag.js'

/** A field may have this many members, empty ones included (RFC 9110 5.6.1). */
export const MAX_MEMBERS = 256

/** The parsed value of `If-Match` or `If-None-Match`: the wildcard, or a list of one or more tags. */
export type TagList = '*' | readonly EntityTag[]

/**
 * The value of a list field, all its lines joined (RFC 9110 5.3). Over HTTP/1 Node joins them; over HTTP/2 it keeps
 * only the first in `headers`, and all in `rawHeaders` (engine-facts#node-http2-first-line).
 *
 * @returns undefined if the field was not sent, `''` if it was sent empty
 */
export function fieldValue (
  raw: Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersionMajor'>,
  name: 'if-match' | 'if-none-match'
): string | undefined {
  const joined = raw.headers[name]
  if (joined === undefined || raw.httpVersionMajor < 2) return joined
  const lines: string[] = []
  for (let index = 0; index < raw.rawHeaders.length; index += 2) {
    if (raw.rawHeaders[index]!.toLowerCase() === name) lines.push(raw.rawHeaders[index + 1]!)
  }
  return lines.join(', ')
}

/**
 * Parses the value of `If-Match` or `If-None-Match` in one linear pass (RFC 9110 13.1.1, 13.1.2).
 *
 * @returns undefined if it is malformed: one bad member spoils the whole field, and so does a list without a tag
 */
export function parseTagList (value: string): TagList | undefined {
  const tags: EntityTag[] = []
  let members = 1
  let index = skipSpace(value, 0)
  if (value[index] === '*') return skipSpace(value, index + 1) === value.length ? '*' : undefined
  while (index < value.length) {
    if (value[index] !== ',') {
      const scanned = scanEntityTag(value, index)
      if (scanned === undefined) return undefined
      tags.push(scanned.tag)
      index = skipSpace(value, scanned.end)
      if (index === value.length) break
      if (value[index] !== ',') return undefined
    }
    if (++members > MAX_MEMBERS) return undefined
    index = skipSpace(value, index + 1)
  }
  return tags.length === 0 ? undefined : tags
}

function skipSpace (text: string, start: number): number {
  let index = start
  while (text[index] === ' ' || text[index] === '\t') index++
  return index
}
