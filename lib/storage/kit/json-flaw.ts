import { InvalidValueError, NotJsonError } from '../../errors.js'

// How much of the place of a flaw is told, in characters.
const LONGEST_NAME = 64
const LONGEST_POINTER = 200

interface FlawOptions extends ErrorOptions {
  /** Whether the text of a request can bring it. */
  isSendable?: boolean
}

/** What is wrong with a value. It learns where on its way out of the recursion: a value that is right pays nothing. */
export class Flaw extends Error {
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

/** The flaw that was thrown. Whatever else is thrown comes from a getter or a Proxy of the server. */
export function flawOf (error: unknown): Flaw {
  return error instanceof Flaw ? error : new Flaw('something that cannot be read', { cause: error })
}

/** The error for a value that was to be stored: the client's mistake, if a request can bring it. */
export function refusalOf (error: unknown): Error {
  const flaw = flawOf(error).resolved()
  return flaw.isSendable ? new InvalidValueError(flaw.textOf('it')) : notJson(flaw, 'it')
}

/**
 * The error for a value that the server made, or read.
 *
 * @param subject who made it, for the message
 */
export function notJson (flaw: Flaw, subject: string): Error {
  return new NotJsonError(flaw.textOf(subject), ...flaw.cause === undefined ? [] : [{ cause: flaw.cause }])
}

/** The name of the class, which is of the code. An object without a class may have a client's `constructor`. */
export function classOf (object: object): string {
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
