import type { Stored } from '../adapter.js'
import { FAULT, storageFault } from './whose-fault.js'

/**
 * Parses the JSON text of a stored value. The error of `JSON.parse` quotes the text that it could not read, and stored
 * content must not reach a log, so another error takes its place.
 *
 * @param complaint names the engine and says where to look, for example
 *   `'SQLite: a stored value is not JSON. Look for who else writes to the table.'`
 * @throws FST_IF_MATCH_STORAGE_FAULT, with the complaint in its cause
 */
export function parseStored (text: string, complaint: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw storageFault(FAULT.stored, new Error(complaint))
  }
}

/**
 * An entity of an engine that keeps JSON text. Its value is parsed when it is first asked for: nobody asks for that of
 * a refusal, of a 304, or of an entity that is sent as text.
 *
 * @param complaint as for `parseStored`
 */
export function storedText<T> (json: string, facts: Facts, complaint: string): Stored<T> {
  return lateStored(json, facts, () => parseStored(json, complaint) as T)
}

/** An entity whose value is made when it is first asked for. */
export function lateStored<T> (json: string | undefined, facts: Facts, make: () => T): Stored<T> {
  return new LateStored<T>(json, facts, make)
}

type Facts = Omit<Stored, 'value' | 'json'>

const NOT_MADE = Symbol('not made')

// A class, and accessors that all entities share: with closures of its own, each entity had a shape of its own for the
// compiler, and the first look at its value took longer than to parse it.
class LateStored<T> implements Stored<T> {
  static readonly #VALUE: PropertyDescriptor & ThisType<LateStored<unknown>> = {
    get () {
      if (this.#value === NOT_MADE) this.#value = this.#make()
      return this.#value
    },
    set (value: unknown) {
      this.#value = value
      this.#json = undefined
    },
    configurable: true,
    enumerable: true
  }

  declare value: T
  version: string
  replaced: string | undefined
  digest: string | undefined
  #json: string | undefined
  #value: T | typeof NOT_MADE = NOT_MADE
  readonly #make: () => T

  constructor (json: string | undefined, { version, replaced, digest }: Facts, make: () => T) {
    this.#json = json
    this.version = version
    this.replaced = replaced
    this.digest = digest
    this.#make = make
    // A member of the object itself, so that a copy of it has the value, too.
    Object.defineProperty(this, 'value', LateStored.#VALUE)
  }

  /** No member of the object itself: a copy may be given another value, whose text this is not. */
  get json (): string | undefined {
    return this.#json
  }
}
