/** How many characters a key may have. */
export const MAX_KEY_LENGTH = 255

// A String of RFC 9651 3.3.3: visible ASCII and spaces in quotes, with \" and \\ for the two that end it or escape.
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/

// As most clients send it, without the quotes: visible ASCII but for what separates fields and parameters.
const BARE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/

/**
 * Reads the value of `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header 2.1): one String of Structured Fields
 * (RFC 9651 3.3.3), or the same text without its quotes.
 *
 * @returns the key, or undefined if it is empty, longer than 255 characters, a list, or anything else
 */
export function parseIdempotencyKey (value: string): string | undefined {
  const text = value.trim()
  const quoted = QUOTED.exec(text)?.[1]
  const key = quoted === undefined ? BARE.exec(text)?.[0] : quoted.replaceAll(/\\(.)/g, '$1')
  return key !== undefined && key.length <= MAX_KEY_LENGTH ? key : undefined
}
