/** A value of JSON. */
export type Json = null | boolean | number | string | Json[] | JsonObject

/** An object of JSON. */
export interface JsonObject { [name: string]: Json }

/** A value that may be missing: undefined is none. */
export type Maybe = Json | undefined

/** Whether a value is an object, and no list. */
export function isObject (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether two values are the same; the order of the members of an object makes no difference. */
export function isSame (one: Maybe, other: Maybe): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]))
  }
  if (isObject(one) && isObject(other)) {
    const names = Object.keys(one)
    return names.length === Object.keys(other).length &&
      names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  }
  return one === other
}

/** The member of an object; undefined if it is none of its own, such as `toString`. */
export function memberOf (value: Maybe, name: string): Maybe {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** An object of these members, without those that are undefined. A member `__proto__` stays a member. */
export function objectOf (members: Iterable<readonly [string, Maybe]>): JsonObject {
  return Object.fromEntries([...members].filter((member): member is [string, Json] => member[1] !== undefined))
}
