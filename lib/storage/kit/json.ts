import { InvalidValueError, NotJsonError } from '../../errors.js'

const MAX_DEPTH = 512
// How much of the place of a flaw is told, in characters.
const LONGEST_NAME = 64
const LONGEST_POINTER = 200

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

interface FlawOptions extends ErrorOptions {
  /** Whether the text of a request can bring it. */
  isSendable?: boolean
}

/** What is wrong with a value. It learns where on its way out of the recursion: a value that is right pays nothing. */
class Flaw extends Error {
  readonly isSendable: boolean
  readonly #names: string[] = []
  readonly #objects: object[] = []

  constructor (readonly what: string, { isSendable = false, ...options }: FlawOptions = {}) {
    super(what, options)
    this.isSendable = isSendable
  }

  inside (object: object, name: string): this {
    this.#names.unshift(name)
    this.#objects.unshift(object)
    return this
  }

  /** The same, or what is behind it: an object inside itself has too many levels at first sight. */
  resolved (): Flaw {
    const objects = this.#objects
    const end = objects.findIndex((object, index) => objects.indexOf(object) < index)
    if (end === -1) return this
    const circle = new Flaw('an object that is inside itself')
    circle.#names.push(...this.#names.slice(0, end))
    return circle
  }

  textOf (subject: string): string {
    if (this.#names.length === 0) return `${subject} is ${this.what}`
    return `${subject} has ${this.what} at ${pointerOf(this.#names)}`
  }
}

// Whatever else is thrown comes from a getter or a Proxy of the server.
function flawOf (error: unknown): Flaw {
  return error instanceof Flaw ? error : new Flaw('something that cannot be read', { cause: error })
}

function refusalOf (error: unknown): Error {
  const flaw = flawOf(error).resolved()
  return flaw.isSendable ? new InvalidValueError(flaw.textOf('it')) : notJson(flaw, 'it')
}

function notJson (flaw: Flaw, subject: string): Error {
  return new NotJsonError(flaw.textOf(subject), ...flaw.cause === undefined ? [] : [{ cause: flaw.cause }])
}

// The name of the class, which is of the code. An object without a class may have a client's `constructor`.
function classOf (object: object): string {
  try {
    const { constructor } = Object.getPrototypeOf(object) as object
    const name: unknown = typeof constructor === 'function' && constructor.name
    if (typeof name === 'string' && name !== 'Object' && /^[\w$]{1,64}$/.test(name)) {
      return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`
    }
  } catch {} // a name that is a getter may throw
  return 'an object with a class of its own'
}

// A JSON Pointer (RFC 6901 3). Names of members may be a client's, so they are cut, and have no control characters.
function pointerOf (names: readonly string[]): string {
  const pointer = names.map((name) => `/${shown(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  if (pointer.length <= LONGEST_POINTER) return pointer
  return `${pointer.slice(0, LONGEST_POINTER / 2)}…${pointer.slice(-LONGEST_POINTER / 2)}`.toWellFormed()
}

function shown (name: string): string {
  const start = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name
  return start.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}
