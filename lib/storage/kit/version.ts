import { randomFillSync } from 'node:crypto'

const BYTES = 12
/** How many characters the column of a version must take. */
export const VERSION_LENGTH = BYTES / 3 * 4
/** How many characters the column of a digest must take (decision 0029). */
export const MAX_DIGEST_LENGTH = 255
// One system call fills the pool for 256 versions.
const pool = Buffer.allocUnsafe(BYTES * 256)
let used = pool.length

/**
 * A new version: 96 random bits, as 16 characters of base64url. A version never comes back for its key (RFC 9110
 * 8.8.1). A counter in the row, or a clock, would not hold that: it starts again when an entity is removed and created
 * anew.
 */
export function newVersion (): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += BYTES
  return pool.toString('base64url', used - BYTES, used)
}

/**
 * Without the versions that cannot be an entity-tag: no write ever made one
 * (engine-facts#any-engine-impossible-version).
 */
export function possibleVersions (versions: readonly string[]): string[] {
  return versions.filter((version) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(version))
}
