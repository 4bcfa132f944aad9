import { StorageUnavailableError } from '../../errors.js'
import { jsonText } from '../kit/json.js'

/** What lies in the value of an etcd key. */
export interface Envelope<T = unknown> {
  /** Random, and of this write alone: whoever finds it in the store knows that the write was applied (E2). */
  marker: string
  digest?: string | undefined
  value: T
}

/**
 * The JSON text of an envelope.
 *
 * @throws FST_IF_MATCH_INVALID_VALUE for what JSON cannot carry
 */
export function sealed ({ marker, digest, value }: Envelope): string {
  return `${JSON.stringify({ marker, digest }).slice(0, -1)},"value":${jsonText(value)}}`
}

/**
 * What `sealed` made. The error of JSON.parse would quote the text, and stored content belongs into no log.
 *
 * @throws FST_IF_MATCH_STORAGE_UNAVAILABLE for anything else
 */
export function unsealed<T> (text: string): Envelope<T> {
  const envelope = parsed(text) as Envelope<T> | null | undefined
  if (typeof envelope?.marker === 'string' && Object.hasOwn(envelope, 'value')) return envelope
  throw new StorageUnavailableError({
    cause: new Error('etcd: a stored value is not one of this adapter. Look for who else writes under its prefix.')
  })
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
