import { InvalidAdapterError, InvalidVersionError } from '../../errors.js'

// A timestamp as PostgreSQL, MySQL and SQLite write it as text. An entity-tag has no space (RFC 9110 8.8.3).
const SPACE_BEFORE_TIME = /^([\d-]+) (?=\d\d:\d\d)/

/**
 * The version of an entity, of what a column or an expression of its row gave: a text, a bigint, or a number that
 * JavaScript holds exactly. The space of a timestamp becomes `T`, which the engines read as the same moment. What else
 * cannot be an entity-tag is refused where the tag is made, with FST_IF_MATCH_INVALID_VERSION.
 *
 * A Date is refused, because it has milliseconds alone: writes within one of them would share a version.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER, which says what to do. It does not say whether anything was changed
 */
export function versionText (version: unknown): string {
  if (typeof version === 'string' && version !== '') {
    return version.includes(' ') ? version.replace(SPACE_BEFORE_TIME, '$1T') : version
  }
  if (typeof version === 'bigint') return String(version)
  // A larger number was rounded by then, so two versions may have become one.
  if (typeof version === 'number' && Math.abs(version) <= Number.MAX_SAFE_INTEGER) return String(version)
  throw new InvalidAdapterError(`gave a row whose version is ${flawOf(version)}`)
}

// What an entity-tag may hold, and the parts of one are separated by (RFC 9110 8.8.3).
const TAG = /^[\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]+$/

/**
 * Refuses a version that cannot be an entity-tag where that can still be undone. The plugin refuses it as well, but
 * only once it has the outcome of a write.
 *
 * @throws FST_IF_MATCH_INVALID_VERSION
 */
export function assertTaggable (version: string | undefined): void {
  if (version !== undefined && !TAG.test(version)) throw new InvalidVersionError()
}

function flawOf (version: unknown): string {
  if (version === undefined) return 'not there. Select it, and return it, under the name "version".'
  if (version === null) return 'null. Declare its column NOT NULL, with a default.'
  if (version === '') return 'empty. Give each row one, by a default of its column.'
  if (typeof version === 'number') return 'a number that JavaScript rounds. Select it as text.'
  if (Object.prototype.toString.call(version) === '[object Date]') {
    return 'a Date, which has milliseconds alone. Select it as text, with all its digits.'
  }
  return 'neither a text nor a number. Select it as text.'
}
