import { InvalidKeyError } from '../../errors.js'

/** The longest key, in bytes of UTF-8: what the narrowest engine can index. */
export const MAX_KEY_BYTES = 1024

/**
 * Refuses what no engine is asked for (E4), so that all of them agree on what a key is.
 *
 * @throws FST_IF_MATCH_INVALID_KEY (400)
 */
export function checkKey (key: unknown): asserts key is string {
  const flaw = flawOf(key)
  if (flaw !== undefined) throw new InvalidKeyError(flaw)
}

function flawOf (key: unknown): string | undefined {
  if (typeof key !== 'string') return 'is not a string'
  if (key === '') return 'is empty'
  // No UTF-8 is longer than three bytes a UTF-16 unit, so most keys need not be measured.
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) { return `is longer than ${MAX_KEY_BYTES} bytes of UTF-8` }
  if (key.includes('\0')) return 'has a NUL character'
  if (!key.isWellFormed()) return 'is not well-formed Unicode'
  return undefined
}

/**
 * Orders keys by their UTF-8 bytes (E5), as every engine does. JavaScript's own order compares UTF-16 units and
 * puts U+10000 and above before U+E000 to U+FFFF.
 */
export function compareKeys (a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

// Where two strings differ first, a surrogate stands for a code point above every other unit.
function rank (unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/**
 * Where the keys that begin with `prefix` end, in the order of their UTF-8 bytes: the least text that comes after all of
 * them. Undefined if there is none, as for the empty prefix.
 */
export function endOfPrefix (prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  // Behind U+D7FF come the surrogates, which are no characters.
  return last === undefined ? undefined : String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}
