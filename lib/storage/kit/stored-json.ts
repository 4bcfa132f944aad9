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
