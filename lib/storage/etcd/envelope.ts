import { jsonText } from '../kit/json.js'
import { parseStored } from '../kit/stored-json.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'

const FOREIGN = 'etcd: a stored value is not one of this adapter. Look for who else writes under its prefix.'

/** The content of an etcd value. */
export interface Envelope<T = unknown> {
  /** Random, and of one write alone: found in the store, it proves that the write was applied. */
  marker: string
  digest?: string | undefined
  value: T
}

/**
 * The JSON text of an envelope.
 *
 * @throws FST_IF_MATCH_NOT_JSON, FST_IF_MATCH_INVALID_VALUE for a value that JSON cannot carry
 */
export function sealed ({ marker, digest, value }: Envelope): string {
  return `${JSON.stringify({ marker, digest }).slice(0, -1)},"value":${jsonText(value)}}`
}

/**
 * The envelope that `sealed` made a text of.
 *
 * @throws FST_IF_MATCH_STORAGE_FAULT for any other text
 */
export function unsealed<T> (text: string): Envelope<T> {
  const envelope = parseStored(text, FOREIGN) as Envelope<T> | null
  if (typeof envelope?.marker === 'string' && Object.hasOwn(envelope, 'value')) return envelope
  throw storageFault(FAULT.stored, new Error(FOREIGN))
}
