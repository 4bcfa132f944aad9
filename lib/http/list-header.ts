import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { scanEntityTag, type EntityTag } from './entity-tag.js'

/** A field may have this many members, empty ones included (RFC 9110 5.6.1). */
export const MAX_MEMBERS = 256

/** The parsed value of `If-Match` or `If-None-Match`: the wildcard, or a list of one or more tags. */
export type TagList = '*' | readonly EntityTag[]

/** The fields that a request may be refused for. */
export type FieldName = 'if-match' | 'if-none-match' | 'content-range' | 'idempotency-key'

/**
 * Joins the lines of both fields in the headers of a request (RFC 9110 5.3). Over HTTP/1 Node has done that; over
 * HTTP/2 it keeps only the first line there, and all in `rawHeaders` (engine-facts#node-http2-first-line). So hooks of
 * the app see the same over either, and what they change counts.
 */
export function joinLines (
  request: { headers: IncomingHttpHeaders, raw: Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersionMajor'> }
): void {
  const { headers, rawHeaders, httpVersionMajor } = request.raw
  if (httpVersionMajor < 2) return
  for (const name of ['if-match', 'if-none-match'] as const) {
    if (headers[name] === undefined) continue
    const lines: string[] = []
    for (let index = 0; index < rawHeaders.length; index += 2) {
      if (rawHeaders[index]!.toLowerCase() === name) lines.push(rawHeaders[index + 1]!)
    }
    // Another value is that of a hook, which ran before.
    if (headers[name] !== lines[0]) continue
    headers[name] = lines.join(', ')
    // So is `request.headers = { ...request.headers }`, which lies over those of Node with its copy of the first line.
    if (lines.length > 1 && request.headers[name] === lines[0]) {
      request.headers = { ...request.headers, [name]: headers[name] }
    }
  }
}

/**
 * The value of a field as the app left it, which may be of any type.
 *
 * @returns undefined if there is no such field, `''` if it is empty
 */
export function fieldValue (headers: IncomingHttpHeaders, name: FieldName): string | undefined {
  const value: unknown = headers[name] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  return Array.isArray(value) ? value.join(', ') : String(value)
}

/**
 * Parses the value of `If-Match` or `If-None-Match` in one linear pass (RFC 9110 13.1.1, 13.1.2).
 *
 * @returns undefined if it is malformed: one bad member spoils the whole field, and so does a list without a tag
 */
export function parseTagList (value: string): TagList | undefined {
  let tags: EntityTag[] | undefined
  let members = 1
  let index = skipSpace(value, 0)
  if (value[index] === '*') return skipSpace(value, index + 1) === value.length ? '*' : undefined
  while (index < value.length) {
    if (value[index] !== ',') {
      const scanned = scanEntityTag(value, index)
      if (scanned === undefined) return undefined
      if (tags === undefined) tags = [scanned.tag]
      else tags.push(scanned.tag)
      index = skipSpace(value, scanned.end)
      if (index === value.length) break
      if (value[index] !== ',') return undefined
    }
    if (++members > MAX_MEMBERS) return undefined
    index = skipSpace(value, index + 1)
  }
  return tags
}

function skipSpace (text: string, start: number): number {
  let index = start
  while (text[index] === ' ' || text[index] === '\t') index++
  return index
}
