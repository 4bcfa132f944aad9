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
export function storedText<T> (
  json: string,
  { version, replaced, digest }: Omit<Stored<T>, 'value' | 'json'>,
  complaint: string
): Stored<T> {
  let value: T | undefined
  return {
    json,
    version,
    replaced,
    digest,
    // An accessor of its own, so that a copy of the entity has the value, too.
    get value () {
      value ??= parseStored(json, complaint) as T
      return value
    }
  }
}
