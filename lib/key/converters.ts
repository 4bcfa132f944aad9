import { InvalidKeyError } from '../errors.js'

/**
 * The number of a text in decimal digits, from 1 on: an id of a column of numbers. Other spellings are refused, because
 * the column takes them for the same number, and its row would have two keys: `'007'`, `'+7'`, `'7.0'`, `' 7'`,
 * `'7e0'`, `'0x7'`. So are the empty text, what JavaScript would round, a negative number, which no table makes, and 0:
 * `AUTO_INCREMENT` takes it for the next id (engine-facts#mariadb-auto-increment-zero).
 *
 * @param max the largest id that the column holds: `2 ** 31 - 1` for an `integer`. By default and at most
 * `Number.MAX_SAFE_INTEGER`
 * @throws FST_IF_MATCH_INVALID_KEY (400)
 * @example
 * const { parse } = keyPattern('/orders/:id', { id: wholeNumber })
 * const smaller = keyPattern('/stock/:id', { id: (text) => wholeNumber(text, 2 ** 31 - 1) })
 */
export function wholeNumber (text: string, max: number = Number.MAX_SAFE_INTEGER): number {
  const number = typeof text === 'string' && /^[1-9]\d*$/.test(text) ? Number(text) : NaN
  if (number <= max && Number.isSafeInteger(number)) return number
  throw new InvalidKeyError('has no whole number that its table can have as an id')
}

/**
 * The text of a UUID in its usual spelling, 36 characters in lower case (RFC 9562 4). Others are refused: a `uuid`
 * column takes upper case and braces too, and its row would have two keys.
 *
 * @throws FST_IF_MATCH_INVALID_KEY (400)
 * @example
 * const { parse } = keyPattern('/orders/:id', { id: uuid })
 */
export function uuid (text: string): string {
  if (typeof text === 'string' && /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(text)) return text
  throw new InvalidKeyError('has no UUID in lower case')
}
