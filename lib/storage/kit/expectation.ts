import type { Expectation } from '../adapter.js'

/**
 * Whether the current state of an entity satisfies an expectation. For engines that compare in one synchronous step of
 * JavaScript, and for a look at what was read; other engines compare in their own language, by the same rules.
 *
 * @param version the current version; undefined if there is no entity
 */
export function satisfies (expectation: Expectation, version: string | undefined): boolean {
  switch (expectation.kind) {
    case 'version': return version !== undefined && expectation.versions.includes(version)
    case 'exists': return version !== undefined
    case 'absent': return version === undefined
    case 'any': return true
  }
}
