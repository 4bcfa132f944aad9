import type { RouteOptions } from 'fastify'
import { methodKind } from '../http/method.js'

/** A route that the plugin saw, guarded or not. */
export interface SeenRoute {
  readonly url: string
  readonly constraints: RouteOptions['constraints']
  /** The same for all routes that a client takes for one resource. */
  readonly resource: string
  readonly isRead: boolean
  /** Whether it has a GET that is not guarded, and does not say `ifMatch: false`. */
  readonly isUntaggedRead: boolean
  readonly guardedWrites: readonly string[]
}

/** Remembers a route, with its methods and those of them that are guarded, for `untaggedReads`. */
export function seenRoute (route: RouteOptions, methods: readonly string[], guarded: readonly string[]): SeenRoute {
  // Whatever its parameters are called, and as a lenient router reads it: in any case, with more slashes, or one at the
  // end. Two colons are one of the address.
  const shape = route.url.replace(/(?<!:):[^:/\-.(?]+/g, ':').replace(/\/+/g, '/')
  const path = shape.replace(/(?<=.)[/?]$/, '').toLowerCase()
  const { constraints } = route
  const conditions = Object.entries(constraints ?? {}).map(([name, value]) => `${name}=${String(value)}`).sort()
  const isRead = methods.includes('GET')
  return {
    url: route.url,
    constraints,
    resource: [path, ...conditions].join(' '),
    isRead,
    isUntaggedRead: isRead && !guarded.includes('GET') && route.config?.ifMatch !== false,
    guardedWrites: guarded.filter((method) => methodKind(method) === 'write')
  }
}

/**
 * A warning for each GET that is not guarded beside a guarded write to the same address: the client is given no tag to
 * send with the write, or one of another plugin, such as `@fastify/etag`, which the storage never had.
 *
 * @param hasGet whether the server has a GET at the address of a route, seen or not
 */
export function untaggedReads (routes: readonly SeenRoute[], hasGet: (route: SeenRoute) => boolean): string[] {
  const resources = new Set(routes.filter(isGuardedWrite).map(({ resource }) => resource))
  return [...resources].flatMap((resource) => {
    const beside = routes.filter((route) => route.resource === resource)
    const writes = [...new Set(beside.flatMap(({ guardedWrites }) => guardedWrites))].join(', ')
    const warn = (url: string, advice: string): string =>
      `GET ${url} is not guarded, and ${writes} ${url} is: clients get no ETag for If-Match, or one of another ` +
      `plugin, which never matches. ${advice}`
    // An optional parameter makes a second address, without it.
    const isSeen = routes.some(({ isRead, url, resource: other }) =>
      isRead && (other === resource || (url.endsWith('?') && other.startsWith(resource))))
    if (isSeen) {
      return beside.filter(({ isUntaggedRead }) => isUntaggedRead).map(({ url }) => warn(url, OF_SEEN))
    }
    return beside.filter(hasGet).slice(0, 1).map(({ url }) => warn(url, OF_UNSEEN))
  })
}

function isGuardedWrite ({ guardedWrites }: SeenRoute): boolean {
  return guardedWrites.length > 0
}

const OF_SEEN = 'Set config: { ifMatch: true } on the GET; or, on a route of its own, config: { ifMatch: false } if ' +
  'this is meant.'
const OF_UNSEEN = 'The GET was added outside of the scope of fastify-if-match, or before the plugin was ready: add ' +
  'it where the plugin sees it, with config: { ifMatch: true }, or with false if this is meant.'
