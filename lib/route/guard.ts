import type { FastifyContextConfig, FastifyRequest, RouteOptions as FastifyRouteOptions } from 'fastify'
import { compileKey, parametersOf, type CompiledKey } from './key-pattern.js'
import { InvalidOptionsError } from '../errors.js'
import { methodKind } from '../http/method.js'
import type { Policy } from '../http/precondition.js'
import { routeSettings, type Settings } from '../options.js'

/** One registration of the plugin: it holds in its scope, up to a nearer one. */
export interface Registration {
  readonly settings: Settings
  readonly global: boolean
}

/** A route that the plugin guards. */
export interface GuardedRoute {
  /** The nearest registration of the plugin, which guards the route. */
  readonly registration: Registration
  readonly settings: Settings
  /** The key of the entity that a request acts on. */
  readonly keyOf: (request: FastifyRequest) => string
  /** What an operation that can create may do if the entity is absent, where it may create it and where it may not. */
  readonly policies: { readonly creates: Policy, readonly changes: Policy }
  /** Whether requests of this method may create the entity. */
  readonly mayCreate: (method: string) => boolean
  /** Whether the route is guarded by `global` alone: then only its state-changing methods are. */
  readonly writesOnly: boolean
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
  const own = route.config?.ifMatch
  const isMeant = own === undefined
    ? registration.global && methods.some((method) => methodKind(method) === 'write')
    : own !== false
  if (!isMeant) return undefined
  const name = `${methods.join(', ')} ${route.url}`
  const settings = routeSettings(registration.settings, own, name)
  return {
    registration,
    settings,
    keyOf: keyOfRoute(settings.key, route, name),
    policies: { creates: policyOf(settings, true), changes: policyOf(settings, false) },
    mayCreate: creatorsOf(settings, own),
    writesOnly: own === undefined,
    hasTimeout: (route.handlerTimeout ?? serverTimeout) > 0
  }
}

/** Whether requests of this method are under the guard of a route. */
export function isGuarded (route: GuardedRoute | undefined, method: string): route is GuardedRoute {
  return route !== undefined && (!route.writesOnly || methodKind(method) === 'write')
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

function keyOfRoute (key: Settings['key'], route: FastifyRouteOptions, name: string): GuardedRoute['keyOf'] {
  if (typeof key === 'function') return key
  if (key === undefined && Object.keys(route.constraints ?? {}).length > 0) {
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
  return (request) => keyOf(request.params as Record<string, string>)
}

function compile (pattern: string, name: string): CompiledKey {
  try {
    return compileKey(pattern)
  } catch (error) {
    throw new InvalidOptionsError(name, `no key can be made of the pattern "${pattern}": ${(error as Error).message}`)
  }
}
