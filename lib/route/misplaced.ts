import type { RouteOptions } from 'fastify'
import { InvalidOptionsError } from '../errors.js'
import { IF_MATCH_OPTIONS } from '../settings.js'
import { lettersApart } from '../storage/kit/spelling.js'

/**
 * Refuses a route that says `ifMatch` where nothing reads it, or one letter off: it would boot, and guard nothing.
 *
 * @param name of the route, for the message
 * @throws FST_IF_MATCH_INVALID_OPTIONS
 */
export function assertNotMisplaced (route: RouteOptions, name: string): void {
  const place = misplaced(route)
  if (place === undefined) return
  throw new InvalidOptionsError(
    name,
    `nothing reads "${place}", so the route would not be guarded. Write { config: { ifMatch: true } }.`
  )
}

/** The property of a config that was meant to be `ifMatch`, if there is one. */
export function misspelt (config: object | undefined): string | undefined {
  return Object.keys(config ?? {}).find((name) => name !== 'ifMatch' && isLikeIfMatch(name))
}

function misplaced (route: RouteOptions): string | undefined {
  const beside = Object.keys(route).find(isLikeIfMatch)
  if (beside !== undefined) return beside
  const inConfig = misspelt(route.config)
  if (inConfig !== undefined) return `config.${inConfig}`
  // A wrong name for `config`, or a config in a config. Only the exact name, with what a route would set: others may
  // keep headers there, the schema of one, or a constraint on it.
  const { config, ...others } = route
  const nested = (config as { config?: unknown } | undefined)?.config
  const other = Object.entries({ ...others, 'config.config': nested })
    .find(([, value]) => typeof value === 'object' && value !== null && 'ifMatch' in value && isSetting(value.ifMatch))
  return other && `${other[0]}.ifMatch`
}

// `isMatch` is a word of its own, and other plugins may have it.
function isLikeIfMatch (name: string): boolean {
  return lettersApart(name, 'ifMatch') <= 1 && lettersApart(name, 'isMatch') > 0
}

function isSetting (value: unknown): boolean {
  return typeof value === 'boolean' || Object.keys(Object(value)).some((name) => IF_MATCH_OPTIONS.includes(name))
}
