import { InvalidValueError } from '../../errors.js'

const MAX_DEPTH = 512

/**
 * A deep copy of a value that is JSON. A value that JSON would change or drop without an error is refused: a number
 * that is not finite, a bigint, a symbol, a function, an object with a class of its own such as a Date, an array with a
 * hole, more than 512 levels. As in JSON, properties that are `undefined` are left out.
 *
 * Keep a copy, and return a copy: then a caller that changes its object later does not change what is stored.
 *
 * @throws FST_IF_MATCH_INVALID_VALUE (422); the message says what is wrong, and does not quote the value
 * @example
 * entities.set(key, { value: copyJson(value), version: newVersion() })
 */
export function copyJson<T> (value: T): T {
  return copy(value, 0) as T
}

/**
 * The JSON text of a value, for engines that store text. What `copyJson` refuses is refused here.
 *
 * @throws FST_IF_MATCH_INVALID_VALUE (422), also for a value whose text is longer than a string can be
 * @example
 * const row = { key, value: jsonText(value), version: newVersion() }
 */
export function jsonText (value: unknown): string {
  try {
    return JSON.stringify(copyJson(value))
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidValueError('it is longer than a text can be')
    throw error
  }
}

function copy (value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      throw new InvalidValueError('it has a number that is not finite')
    case 'object':
      if (value === null) return null
      if (depth === MAX_DEPTH) throw new InvalidValueError(`it is nested deeper than ${MAX_DEPTH} levels`)
      return Array.isArray(value)
        ? copyArray(value, depth + 1)
        : copyObject(value as Record<string, unknown>, depth + 1)
    default:
      throw new InvalidValueError(`it has a member of type ${typeof value}`)
  }
}

function copyArray (array: unknown[], depth: number): unknown[] {
  const result = new Array<unknown>(array.length)
  for (let index = 0; index < array.length; index++) result[index] = copy(array[index], depth)
  return result
}

function copyObject (object: Record<string, unknown>, depth: number): object {
  if (!isPlain(object)) throw new InvalidValueError('it has an object with a class of its own, such as a Date or a Map')
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(object)) {
    const member = object[name]
    if (member === undefined) continue
    if (name === '__proto__') defineProto(result, copy(member, depth))
    else result[name] = copy(member, depth)
  }
  return result
}

// An assignment to __proto__ would change the prototype instead of adding a property.
function defineProto (object: object, value: unknown): void {
  Object.defineProperty(object, '__proto__', { value, configurable: true, enumerable: true, writable: true })
}

// An object of another realm has the Object.prototype of that realm, so identity tells nothing: a plain object is one
// whose prototype has no prototype itself.
function isPlain (object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
