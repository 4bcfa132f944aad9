import { InvalidValueError } from '../../errors.js'

const MAX_DEPTH = 512

/**
 * A deep copy of a JSON value, and the proof that it is one: whatever JSON would silently change or drop is refused.
 * As in JSON, properties that are `undefined` are left out.
 *
 * @throws FST_IF_MATCH_INVALID_VALUE (422), saying what is wrong, without the content
 */
export function copyJson<T> (value: T): T {
  return copy(value, 0) as T
}

/**
 * The text of a JSON value, for engines that store text.
 *
 * @throws FST_IF_MATCH_INVALID_VALUE (422), as `copyJson` does
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
  for (let at = 0; at < array.length; at++) result[at] = copy(array[at], depth)
  return result
}

function copyObject (object: Record<string, unknown>, depth: number): object {
  if (!isPlain(object)) throw new InvalidValueError('it has an object with a class of its own, such as a Date or a Map')
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(object)) {
    const member = object[name]
    if (member === undefined) continue
    // Assigning to __proto__ would change the prototype instead of adding a property.
    if (name === '__proto__') {
      Object.defineProperty(result, name, {
        value: copy(member, depth),
        configurable: true,
        enumerable: true,
        writable: true
      })
    } else result[name] = copy(member, depth)
  }
  return result
}

// Objects of another realm have another Object.prototype: what counts is that nothing stands above it.
function isPlain (object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
