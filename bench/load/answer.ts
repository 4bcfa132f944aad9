/** An answer as it came, its body not looked at. */
export interface Answer {
  readonly status: number
  /** The status line and the fields. */
  readonly head: string
  /** The body, without its framing. */
  body (): string
}

const END_OF_HEAD = '\r\n\r\n'
const LENGTH = /\r\ncontent-length: *(\d+)/i
const CHUNKED = /\r\ntransfer-encoding: *chunked/i
const LAST_CHUNK = Buffer.from('0\r\n\r\n')
const NO_BODY = [204, 304]

/**
 * Finds the end of each answer of a connection whose requests follow one another. Of an answer it reads the head alone,
 * which is what a load generator can afford.
 */
export class AnswerReader {
  #bytes: Buffer | undefined
  #head: string | undefined
  /** How long the whole message is; undefined: it comes in chunks. */
  #length: number | undefined

  /** The answer that these bytes complete; undefined if there is more to come. */
  push (bytes: Buffer): Answer | undefined {
    const all = this.#bytes = this.#bytes === undefined ? bytes : Buffer.concat([this.#bytes, bytes])
    this.#head ??= this.#readHead(all)
    if (this.#head === undefined || !this.#isComplete(all)) return undefined
    const head = this.#head
    const isChunked = this.#length === undefined
    this.#bytes = this.#head = this.#length = undefined
    return {
      status: Number(head.slice(9, 12)),
      head,
      body () {
        const text = all.subarray(head.length).toString()
        return isChunked ? withoutChunks(text) : text
      }
    }
  }

  #readHead (all: Buffer): string | undefined {
    const end = all.indexOf(END_OF_HEAD)
    if (end < 0) return undefined
    const head = all.toString('latin1', 0, end + END_OF_HEAD.length)
    const hasBody = !NO_BODY.includes(Number(head.slice(9, 12)))
    this.#length = hasBody && CHUNKED.test(head)
      ? undefined
      : head.length + (hasBody ? Number(LENGTH.exec(head)?.[1] ?? 0) : 0)
    return head
  }

  #isComplete (all: Buffer): boolean {
    return this.#length === undefined
      ? all.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
      : all.length >= this.#length
  }
}

// Of ASCII, so that a length in bytes is one in characters.
function withoutChunks (text: string): string {
  let body = ''
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n', at)
    const length = parseInt(text.slice(at, end), 16)
    if (!(length > 0)) return body
    body += text.slice(end + 2, end + 2 + length)
    at = end + 2 + length + 2
  }
}

const ETAG = /\r\netag: *([^\r]*)/i

/** The value of the field `ETag`. */
export function etagOf ({ head }: Answer): string | undefined {
  return ETAG.exec(head)?.[1]
}
