import { StorageUnavailableError } from '../../errors.js'
import type { Stored } from '../adapter.js'

/** The fields of an entity, in the order in which all commands ask for them. */
export const FIELDS = ['version', 'value', 'replaced', 'digest'] as const

/** What was stored, from the answer to HMGET or from a refusal of the script; undefined: there is no entity. */
export function storedOf<T> (fields: ReadonlyArray<string | null>): Stored<T> | undefined {
  const [version, value, replaced, digest] = fields
  if (version == null && value == null) return undefined
  return {
    value: parsed(value) as T,
    version: version ?? damaged(),
    replaced: replaced === '' || replaced == null ? undefined : replaced,
    digest: (parsed(digest) as string | null) ?? undefined
  }
}

// The error of JSON.parse quotes what it could not read, and stored content belongs into no log.
function parsed (json: string | null | undefined): unknown {
  try {
    return JSON.parse(json ?? '')
  } catch {
    return damaged()
  }
}

function damaged (): never {
  throw new StorageUnavailableError({
    cause: new Error('Redis: a stored entity is damaged. Look for who else writes under this prefix.')
  })
}
