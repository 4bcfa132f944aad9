import { jsonText } from '../kit/json.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'

/** What is wrong with a value that `sealed` did not make. */
export const FOREIGN = 'etcd: a stored value is not one of this adapter. Look for who else writes under its prefix.'

/** The content of an etcd value. */
export interface Envelope {
  /** Random, and of one write alone: found in the store, it proves that the write was applied. */
  marker: string
  digest?: string | undefined
  /** The value, as JSON text. It is not looked at before somebody asks for the value. */
  json: string
}

// The value is last, so that what stands in front of it can be read without it.
const HEAD = /^\{"marker":"([^"\\]+)"(?:,"digest":("(?:[^"\\]|\\.)*"))?,"value":/

/**
 * The JSON text of an envelope.
 *
 * @throws FST_IF_MATCH_NOT_JSON, FST_IF_MATCH_INVALID_VALUE for a value that JSON cannot carry
 */
export function sealed (
  { marker, digest, value }: { marker: string, digest?: string | undefined, value: unknown }
): string {
  return `${JSON.stringify({ marker, digest }).slice(0, -1)},"value":${jsonText(value)}}`
}

/**
 * The envelope that `sealed` made a text of.
 *
 * @throws FST_IF_MATCH_STORAGE_FAULT for any other text
 */
export function unsealed (text: string): Envelope {
  const [head, marker, digest] = HEAD.exec(text) ?? []
  if (marker === undefined || !text.endsWith('}')) throw storageFault(FAULT.stored, new Error(FOREIGN))
  return {
    marker,
    digest: digest === undefined ? undefined : JSON.parse(digest) as string,
    json: text.slice(head!.length, -1)
  }
}
