import type { FastifyRequest } from 'fastify'
import { jsonText } from '../storage/kit/json.js'

/** The content of a request, as it goes into a hash. */
export interface RequestContent {
  readonly kind: 'none' | 'bytes' | 'json'
  readonly data: string | NodeJS.ArrayBufferView
}

const NONE: RequestContent = { kind: 'none', data: '' }

/**
 * The content of a request as Fastify parsed it: bytes themselves, of anything else its JSON. So of a text as well: a
 * hash of a text is one of its UTF-8, in which all lone surrogates are one.
 *
 * @returns undefined if nothing tells it: a stream, a form in parts, an object that is not JSON
 */
export function contentOf ({ body, headers, raw }: FastifyRequest): RequestContent | undefined {
  if (body === undefined) return hasContent(headers, raw) ? undefined : NONE
  if (ArrayBuffer.isView(body)) return { kind: 'bytes', data: body as Uint8Array }
  try {
    return { kind: 'json', data: jsonText(body) }
  } catch {
    return undefined
  }
}

const BOUNDARY = /;[ \t]*boundary=(?:"(?:[^"\\]|\\.)*"|[^;]*)/i

/** The type of that content. The boundary of a form in parts is another one each time that a client sends the form. */
export function contentTypeOf ({ headers }: FastifyRequest): string | undefined {
  const type = headers['content-type']
  return type !== undefined && /^multipart\//i.test(type) ? type.replace(BOUNDARY, '') : type
}

// What nobody parsed may be read by the handler (RFC 9112 6.3). Over HTTP/2 a length is not needed.
function hasContent (headers: FastifyRequest['headers'], raw: FastifyRequest['raw']): boolean {
  const { stream } = raw as { stream?: { endAfterHeaders: boolean } }
  return Number(headers['content-length'] ?? 0) !== 0 || headers['transfer-encoding'] !== undefined ||
    stream?.endAfterHeaders === false
}
