import type { FastifyContextConfig, FastifyRequest, RouteOptions as FastifyRouteOptions } from 'fastify'
import type { Global } from './global.js'
import { assertNotMisplaced } from './misplaced.js'
import type { SeenRoute } from './untagged-reads.js'
import { InvalidOptionsError } from '../errors.js'
import { methodKind } from '../http/method.js'
import type { Policy } from '../http/precondition.js'
import { compileKey, parametersOf, type CompiledKey } from '../key/entity-key.js'
import type { GlobalRoute } from '../option-functions.js'
import { routeSettings, type Settings } from '../settings.js'

/** One registration of the plugin: it holds in its scope, up to a nearer one. */
export interface Registration {
  readonly settings: Settings
  readonly global: Global
  /** The names under which requests of the scope have `entity()`. The last one is that of this registration. */
  readonly decorators: readonly string[]
  /** The routes that this registration and all others of the server have seen. */
  readonly routes: SeenRoute[]
}

/** A route that the plugin guards. */
export interface GuardedRoute {
  readonly settings: Settings
  /** The key of the entity that a request acts on. */
  readonly keyOf: (request: FastifyRequest) => string
  /** What tells the route from others with its path: its version or host, say. Undefined: nothing does. */
  readonly constraints: string | undefined
  /** What an operation that can create may do if the entity is absent, where it may create it and where it may not. */
  readonly policies: { readonly creates: Policy, readonly changes: Policy }
  /** Whether requests of this method may create the entity. */
  readonly mayCreate: (method: string) => boolean
  /** The methods that are guarded, on a route that `global` alone guards; undefined: all of the route. */
  readonly only: ReadonlySet<string> | undefined
  /** Whether Fastify may answer in place of the handler, by `handlerTimeout`. */
  readonly hasTimeout: boolean
}

/**
 * The guard of a route that is being registered; undefined if it has none.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS, FST_IF_MATCH_INVALID_ADAPTER, naming the route
 */
export function guardRoute (
  registration: Registration,
  route: FastifyRouteOptions,
  serverTimeout: number
): GuardedRoute | undefined {
  const methods = methodsOf(route)
  const name = `${methods.join(', ')} ${route.url}`
  assertNotMisplaced(route, name)
  const { url } = route
  const config = route.config ?? {} // plain JavaScript may pass null
  const own = config.ifMatch
  if (own === false) return undefined
  const only = own === undefined
    ? new Set(methods.filter((method) => isGlobal(registration, { method, url, config })))
    : undefined
  if (only?.size === 0) return undefined
  if (only !== undefined && parametersOf(url).includes('*')) {
    throw new InvalidOptionsError(
      name,
      'its path has a wildcard, as that of a proxy, and "global" alone guards it. ' +
        'Set config: { ifMatch: false } on the route, or let the function "global" return false for it; ' +
        'or set config: { ifMatch: true } if each path is an entity of the storage.'
    )
  }
  const settings = routeSettings(registration.settings, own, name)
  return {
    settings,
    keyOf: keyOfRoute(settings.key, route, name),
    constraints: textOfConstraints(route),
    policies: { creates: policyOf(settings, true), changes: policyOf(settings, false) },
    mayCreate: creatorsOf(settings, own),
    only,
    hasTimeout: (route.handlerTimeout ?? serverTimeout) > 0
  }
}

/** Whether requests of this method are under the guard of a route. */
export function isGuarded (route: GuardedRoute | undefined, method: string): route is GuardedRoute {
  return route !== undefined && (route.only === undefined || route.only.has(method))
}

/** Whether `global` guards a method of a route that does not say `config.ifMatch`. */
export function isGlobal ({ global }: Registration, route: GlobalRoute): boolean {
  return methodKind(route.method) === 'write' && global(route)
}

/** The methods of a route. */
export function methodsOf (route: Pick<FastifyRouteOptions, 'method'>): string[] {
  return typeof route.method === 'string' ? [route.method] : route.method
}

// What the plugin's option says is about PUT alone: no other method creates unless its route says so.
function creatorsOf ({ create }: Settings, own: FastifyContextConfig['ifMatch']): GuardedRoute['mayCreate'] {
  if (create === false) return () => false
  if (typeof own !== 'object' || own.create === undefined) return (method) => method === 'PUT'
  return (method) => method !== 'DELETE' && methodKind(method) === 'write'
}

function policyOf ({ create, absent }: Settings, mayCreate: boolean): Policy {
  return { mayCreate, wildcardCreates: create === 'wildcard', absent }
}

// The same text after each start of the server: it goes into what is stored.
function textOfConstraints ({ constraints }: FastifyRouteOptions): string | undefined {
  if (!hasConstraints(constraints)) return undefined
  return JSON.stringify(constraints, (_name, value: unknown) => value instanceof RegExp ? String(value) : value)
}

function hasConstraints (constraints: FastifyRouteOptions['constraints']): boolean {
  return Object.keys(constraints ?? {}).length > 0
}

function keyOfRoute (key: Settings['key'], route: FastifyRouteOptions, name: string): GuardedRoute['keyOf'] {
  if (typeof key === 'function') return key
  if (key === undefined && hasConstraints(route.constraints)) {
    throw new InvalidOptionsError(
      name,
      'a route with constraints shares its path with others, so it must name its "key".'
    )
  }
  const { keyOf, parameters } = compile(key ?? route.url, name)
  const unknown = parameters.find((parameter) => !parametersOf(route.url).includes(parameter))
  if (unknown !== undefined) {
    throw new InvalidOptionsError(name, `"key" names the parameter "${unknown}", which the path does not have.`)
  }
  return (request) => keyOf(request.params as object)
}

function compile (pattern: string, name: string): CompiledKey {
  try {
    return compileKey(pattern)
  } catch (error) {
    throw new InvalidOptionsError(name, `no key can be made of the pattern "${pattern}": ${(error as Error).message}`)
  }
}
