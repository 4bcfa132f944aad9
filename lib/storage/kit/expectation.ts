import type { Expectation } from '../adapter.js'

/**
 * Whether an entity of this version (undefined: no entity) satisfies the expectation.
 * For engines that decide in one step of JavaScript; the others say the same thing in their own language.
 */
export function satisfies (expectation: Expectation, version: string | undefined): boolean {
  switch (expectation.kind) {
    case 'version': return version !== undefined && expectation.versions.includes(version)
    case 'exists': return version !== undefined
    case 'absent': return version === undefined
    case 'any': return true
  }
}
