import { InvalidValueError } from '../../errors.js'
import { classOf, Flaw, flawOf, notJson, refusalOf } from './json-flaw.js'

const MAX_DEPTH = 512

/**
 * A deep copy of a value that is JSON. A value that JSON would change or drop without an error is refused: a number
 * that is not finite, a BigInt, a symbol, a function, an object with a class of its own such as a Date, an array with a
 * hole, an object inside itself, more than 512 levels. As in JSON, properties that are `undefined` are left out.
 *
 * Each member is read twice. Of a getter that gives another value each time, nobody can say what is stored.
 *
 * Keep a copy, and return a copy: then a caller that changes its object later does not change what is stored.
 *
 * The message says what is wrong and at which member, and never what the value holds.
 *
 * @throws FST_IF_MATCH_INVALID_VALUE (422) for what a client can send: an infinite number (`1e400`), too many levels
 * @throws FST_IF_MATCH_NOT_JSON (500) for anything else, which the server made
 * @example
 * entities.set(key, { value: copyJson(value), version: newVersion() })
 */
export function copyJson<T> (value: T): T {
  try {
    assertJson(value, 0)
    return copy(value) as T
  } catch (error) {
    throw refusalOf(error)
  }
}

/**
 * The same for a value that was read from the storage: whatever is wrong with it, no client is to blame.
 *
 * @param maker who made the value, for the message
 * @throws FST_IF_MATCH_NOT_JSON (500)
 */
export function copyRead<T> (value: T, maker: string): T {
  try {
    assertJson(value, 0)
    return copy(value) as T
  } catch (error) {
    throw notJson(flawOf(error).resolved(), maker)
  }
}

/**
 * A deep copy of what `copyJson` made: it is known to be JSON, so nothing is looked at twice. An object is copied as a
 * whole, which is several times as fast as member by member, and then its members that are objects.
 */
export function copyOfJson<T> (value: T): T {
  if (typeof value !== 'object' || value === null) return value
  return (Array.isArray(value) ? copyItems(value, copyOfJson) : copyOfMembers(value as Record<string, unknown>)) as T
}

function copyOfMembers (object: Record<string, unknown>): object {
  const result = { ...object }
  for (const name in object) {
    const member = object[name]
    if (typeof member !== 'object' || member === null || !Object.hasOwn(object, name)) continue
    if (name === '__proto__') defineProto(result, copyOfJson(member))
    else result[name] = copyOfJson(member)
  }
  return result
}

/**
 * The JSON text of a value, for engines that store text. What `copyJson` refuses is refused here.
 *
 * @throws FST_IF_MATCH_NOT_JSON (500), FST_IF_MATCH_INVALID_VALUE (422); the latter also for a value whose text is
 * longer than a string can be
 * @example
 * const row = { key, value: jsonText(value), version: newVersion() }
 */
export function jsonText (value: unknown): string {
  try {
    assertJson(value, 0)
  } catch (error) {
    throw refusalOf(error)
  }
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw refusalOf(error)
    throw new InvalidValueError('it is longer than a text can be')
  }
}

function assertJson (value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (Number.isFinite(value)) return
      throw Number.isNaN(value) ? new Flaw('NaN') : new Flaw('an infinite number', { isSendable: true })
    case 'object':
      if (value === null) return
      if (depth === MAX_DEPTH) throw new Flaw(`more than ${MAX_DEPTH} levels`, { isSendable: true })
      if (Array.isArray(value)) assertItems(value, depth + 1)
      else assertMembers(value as Record<string, unknown>, depth + 1)
      return
    case 'undefined':
      throw new Flaw('undefined')
    default:
      throw new Flaw(typeof value === 'bigint' ? 'a BigInt' : `a ${typeof value}`)
  }
}

function assertItems (array: unknown[], depth: number): void {
  let index = 0
  try {
    for (; index < array.length; index++) assertJson(array[index], depth)
  } catch (error) {
    throw flawOf(error).inside(array, String(index))
  }
  assertOwnText(array)
}

function assertMembers (object: Record<string, unknown>, depth: number): void {
  if (!isPlain(object)) throw new Flaw(classOf(object))
  let at: string | undefined
  try {
    for (const name in object) {
      if (!Object.hasOwn(object, name)) continue
      at = name
      const member = object[name]
      if (member !== undefined) assertJson(member, depth)
    }
  } catch (error) {
    throw at === undefined ? flawOf(error) : flawOf(error).inside(object, at)
  }
  assertOwnText(object)
}

// JSON.stringify would write what a hidden or an inherited method gives, and nothing has looked at that.
function assertOwnText (object: object): void {
  if (typeof (object as { toJSON?: unknown }).toJSON === 'function') throw new Flaw('a method toJSON')
}

// No `map`, which makes an array of the app's own class of one.
function copyItems (array: readonly unknown[], copyItem: (item: unknown) => unknown): unknown[] {
  const result = new Array<unknown>(array.length)
  for (let index = 0; index < array.length; index++) result[index] = copyItem(array[index])
  return result
}

// Member by member: what is undefined, or named by a symbol, is left out, as in JSON.
function copy (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return copyItems(value, copy)
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name]
    if (member === undefined) continue
    if (name === '__proto__') defineProto(result, copy(member))
    else result[name] = copy(member)
  }
  return result
}

// An assignment to __proto__ would change the prototype instead of adding a property.
function defineProto (object: object, value: unknown): void {
  Object.defineProperty(object, '__proto__', { value, configurable: true, enumerable: true, writable: true })
}

// A text that JSON.stringify writes as it is, which Node.js 22 and later can make.
function isRawJson (object: object): boolean {
  const { isRawJSON } = JSON as { isRawJSON?: (value: unknown) => boolean }
  return isRawJSON?.(object) === true
}

// An object of another realm has the Object.prototype of that realm, so identity tells nothing: a plain object is one
// whose prototype has no prototype itself.
function isPlain (object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === null) return !isRawJson(object)
  return prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}
