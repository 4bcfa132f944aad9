import { randomFillSync } from 'node:crypto'

const BYTES = 12
const pool = Buffer.allocUnsafe(BYTES * 256)
let used = pool.length

/**
 * A new version: 96 random bits in base64url. Random, because a counter or a clock starts again after an entity is
 * removed and created anew, and a tag must never come back (R14b). Drawn from a pool: one system call for 256.
 */
export function newVersion (): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += BYTES
  return pool.toString('base64url', used - BYTES, used)
}
