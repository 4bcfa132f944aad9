import type { RouteOptions } from 'fastify'
import { methodKind } from '../http/method.js'

/** A route that the plugin saw, guarded or not. */
export interface SeenRoute {
  readonly url: string
  /** The same for all routes that a client takes for one resource. */
  readonly resource: string
  /** Whether it has a GET that is not guarded, and does not say `ifMatch: false`. */
  readonly isUntaggedRead: boolean
  readonly guardedWrites: readonly string[]
}

/** Remembers a route, with its methods and those of them that are guarded, for `untaggedReads`. */
export function seenRoute (route: RouteOptions, methods: readonly string[], guarded: readonly string[]): SeenRoute {
  // Whatever its parameters are called, with or without the last slash, and under the same constraints.
  const path = route.url.replace(/:\w+/g, ':').replace(/(?<=.)\/$/, '')
  const constraints = Object.entries(route.constraints ?? {}).map(([name, value]) => `${name}=${String(value)}`).sort()
  return {
    url: route.url,
    resource: [path, ...constraints].join(' '),
    isUntaggedRead: methods.includes('GET') && !guarded.includes('GET') && route.config?.ifMatch !== false,
    guardedWrites: guarded.filter((method) => methodKind(method) === 'write')
  }
}

/**
 * A warning for each GET that is not guarded beside a guarded write to the same address: the client is given no tag to
 * send with the write, or one of another plugin, such as `@fastify/etag`, which the storage never had.
 */
export function untaggedReads (routes: readonly SeenRoute[]): string[] {
  return routes.filter(({ isUntaggedRead }) => isUntaggedRead).flatMap(({ url, resource }) => {
    const beside = routes.filter((route) => route.resource === resource)
    const writes = new Set(beside.flatMap(({ guardedWrites }) => guardedWrites))
    if (writes.size === 0) return []
    return [
      `GET ${url} is not guarded, and ${[...writes].join(', ')} ${url} is: clients get no ETag for If-Match, or one ` +
      'of another plugin, which never matches. Set config: { ifMatch: true } on the GET; or, on a route of its own, ' +
      'config: { ifMatch: false } if this is meant.'
    ]
  })
}
