import { InvalidKeyError } from '../../errors.js'

/** The longest key, in bytes of UTF-8: the limit of the engine with the shortest index entries. */
export const MAX_KEY_BYTES = 1024

/**
 * Refuses a key that the contract excludes, so that all adapters agree on what a key is
 * (engine-facts#any-engine-key-limits): a key is well-formed Unicode without U+0000, of 1 to 1,024 bytes of UTF-8. Call
 * it before anything is sent.
 *
 * @throws FST_IF_MATCH_INVALID_KEY (400)
 * @example
 * checkKey(key)
 * const row = await client.find(key)
 */
export function checkKey (key: unknown): asserts key is string {
  const flaw = flawOf(key)
  if (flaw !== undefined) throw new InvalidKeyError(flaw)
}

function flawOf (key: unknown): string | undefined {
  if (typeof key !== 'string') return 'is not a string'
  if (key === '') return 'is empty'
  if (isTooLong(key)) return `is longer than ${MAX_KEY_BYTES} bytes of UTF-8`
  if (key.includes('\0')) return 'has a NUL character'
  if (!key.isWellFormed()) return 'is not well-formed Unicode'
  return undefined
}

// A UTF-16 unit takes at most three bytes of UTF-8, so most keys need not be measured.
function isTooLong (key: string): boolean {
  return key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES
}

/**
 * Orders keys by their UTF-8 bytes, as every adapter does. JavaScript's own order compares UTF-16 units, and puts
 * U+10000 and above before U+E000 to U+FFFF (engine-facts#any-engine-utf8-order).
 */
export function compareKeys (a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const unitOfA = a.charCodeAt(index)
    const unitOfB = b.charCodeAt(index)
    if (unitOfA !== unitOfB) return rank(unitOfA) - rank(unitOfB)
  }
  return a.length - b.length
}

// A surrogate stands for a code point above U+FFFF, and so comes after every other unit.
function rank (unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/**
 * The end (exclusive) of the range of keys that begin with `prefix`, in the order of their UTF-8 bytes. Undefined if
 * the range has no end, as for the empty prefix.
 */
export function endOfPrefix (prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  // The code points after U+D7FF are surrogates, which are no characters: the next character is U+E000.
  return last === undefined ? undefined : String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}
