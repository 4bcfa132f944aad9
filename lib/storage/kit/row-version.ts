import { InvalidAdapterError } from '../../errors.js'
import { FAULT, storageFault } from './whose-fault.js'

/** The text of a version that a column has. TEMPORARY */
export function versionText (version: unknown): string {
  if (typeof version === 'string' || typeof version === 'number' || typeof version === 'bigint') {
    return String(version).replaceAll(' ', 'T')
  }
  throw storageFault(FAULT.write, new InvalidAdapterError('got a version that is no text and no number.'))
}
