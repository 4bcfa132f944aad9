import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import './augment.js'
import { closeAdapter, openAdapter } from './adapter-lifecycle.js'
import { InvalidOptionsError, NotGuardedError } from './errors.js'
import { joinLines } from './http/list-header.js'
import { answersNotModified } from './http/method.js'
import type { IfMatchOptions } from './options.js'
import type { Entity } from './request/entity.js'
import { FurtherEntity } from './request/further-entity.js'
import { GuardedRequest } from './request/guarded-request.js'
import { onlyEntered, onSendNotFound, routeHooks } from './request/hooks.js'
import { OwnEntity } from './request/own-entity.js'
import { RequestState } from './request/state.js'
import { kGuard, kRegistration, kReply, kState } from './request/symbols.js'
import { compileGlobal } from './route/global.js'
import { guardRoute, isGlobal, isGuarded, methodsOf, type Registration } from './route/guard.js'
import { addFirst, addLast } from './route/hook-order.js'
import { misspelt } from './route/misplaced.js'
import { seenRoute, untaggedReads, type SeenRoute } from './route/untagged-reads.js'
import { pluginSettings } from './settings.js'
import type { StorageAdapter } from './storage/adapter.js'
import { kindOf } from './storage/kit/flaws.js'

/**
 * Guards routes with `config.ifMatch`: every state-changing request names its strategy in `If-Match`. A tag is compared
 * with the stored one in one atomic step with the write. `*` skips the comparison: the last write wins.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS, FST_IF_MATCH_INVALID_ADAPTER while the app boots
 * @example
 * await app.register(ifMatch, { storage: memoryAdapter() })
 */
async function ifMatch (fastify: FastifyInstance, options: IfMatchOptions): Promise<void> {
  if (Object.hasOwn(fastify, kRegistration)) {
    throw new InvalidOptionsError(
      'the plugin',
      'it is registered twice in one scope. Register it once, or in two encapsulated scopes.'
    )
  }
  const settings = pluginSettings(options)
  const outer = fastify[kRegistration]
  const decorator = options.decorator ?? outer?.decorators.at(-1) ?? 'entity'
  const registration: Registration = {
    settings,
    global: compileGlobal(options.global, fastify.supportedMethods),
    decorators: [...outer?.decorators ?? [], decorator],
    routes: routesOf(fastify)
  }
  const adapters = new Set([settings.storage])
  if (outer?.decorators.includes(decorator) !== true) decorate(fastify, decorator)
  fastify[kRegistration] = registration

  fastify.addHook('onRoute', function (route) {
    if (this[kRegistration] !== registration) return
    const guard = guardRoute(registration, route, timeoutOf(this))
    const methods = methodsOf(route)
    registration.routes.push(seenRoute(route, methods, methods.filter((method) => isGuarded(guard, method))))
    route.config = { ...route.config, [kRegistration]: registration, [kGuard]: guard }
    if (guard === undefined) return
    adapters.add(guard.settings.storage)
    const hooks = routeHooks(guard)
    addLast(route, 'onRequest', hooks.onRequest)
    addLast(route, 'preValidation', hooks.preValidation)
    addLast(route, 'preHandler', hooks.preHandler)
    if (methods.some(answersNotModified)) addLast(route, 'preSerialization', hooks.preSerialization)
    if (methods.includes('HEAD')) addFirst(route, 'onSend', hooks.unpackHead)
    addLast(route, 'onSend', hooks.onSend)
    route.handler = onlyEntered(guard, route.handler)
  })

  fastify.addHook('onRequest', function (request, reply, done) {
    request[kReply] = reply
    joinLines(request)
    done(this[kRegistration] === registration ? unguarded(registration, request) : undefined)
  })

  fastify.addHook('onSend', onSendNotFound)

  const opened: StorageAdapter[] = []
  fastify.addHook('onReady', async () => {
    for (const adapter of adapters) {
      await openAdapter(adapter)
      opened.push(adapter)
    }
    // The first registration that is ready takes the routes of all.
    const warnings = untaggedReads(registration.routes.splice(0), ({ url, constraints = {} }) =>
      fastify.hasRoute({ method: 'GET', url, constraints }))
    for (const warning of warnings) fastify.log.warn(warning)
  })
  fastify.addHook('onClose', async () => {
    await Promise.all(opened.map(closeAdapter))
  })
}

const routesOfServer = new WeakMap<object, SeenRoute[]>()

// Registrations in two scopes side by side know nothing else of each other.
function routesOf ({ server }: FastifyInstance): SeenRoute[] {
  const routes = routesOfServer.get(server) ?? []
  routesOfServer.set(server, routes)
  return routes
}

// The default of the server, which Fastify's types leave out. Early versions of Fastify 5 give undefined: not above 0.
function timeoutOf ({ initialConfig }: FastifyInstance): number {
  return (initialConfig as { handlerTimeout: number }).handlerTimeout
}

/** @throws FST_IF_MATCH_INVALID_OPTIONS if requests of the scope have something else under the name */
function decorate (fastify: FastifyInstance, name: string): void {
  if (fastify.hasRequestDecorator(name)) {
    throw new InvalidOptionsError(
      'the plugin',
      `requests already have a decorator "${name}". Name another one for request.entity() by the option "decorator".`
    )
  }
  fastify.decorateRequest(name, entity)
}

/** The error for a route that should be guarded and is not, because it was added before the plugin was ready. */
function unguarded (registration: Registration, request: FastifyRequest): Error | undefined {
  const { routeOptions: { config, url }, method } = request
  if (config[kRegistration] === registration || request.is404) return undefined
  const isMeant = config.ifMatch === undefined
    ? misspelt(config) !== undefined || isGlobal(registration, { method, url: url!, config })
    : config.ifMatch !== false
  if (!isMeant) return undefined
  return new NotGuardedError(
    method,
    url,
    'it was added before fastify-if-match was ready. Await the registration of the plugin, ' +
      'or add the route in a plugin that is registered after it.'
  )
}

/** `request.entity()`. */
function entity<T> (this: FastifyRequest, key?: string, context?: unknown): Entity<T> {
  if (key !== undefined && typeof key !== 'string') throw notAKey(this, key)
  const state = stateOf(this)
  // The key of the route's own entity may be spelled out: it does not go around the precondition.
  if (state instanceof GuardedRequest && (key === undefined || key === state.own.key)) {
    return OwnEntity.of<T>(state, context)
  }
  if (state === undefined || key === undefined) {
    throw new NotGuardedError(
      this.method,
      this.routeOptions.url,
      `request.${nameOf(this)}() needs config.ifMatch on the route, or the key of an entity, ` +
        'and works after the onRequest hook of the plugin.'
    )
  }
  return new FurtherEntity<T>(state, state.further(key), context)
}

function nameOf ({ server }: FastifyRequest): string {
  return server[kRegistration]!.decorators.at(-1)!
}

function notAKey (request: FastifyRequest, key: unknown): Error {
  return new InvalidOptionsError(
    `request.${nameOf(request)}()`,
    `its first argument must be a key, a string, and is ${kindOf(key)}. Make a string of an id, validate what ` +
      'clients send, and pass a context as the second argument.'
  )
}

/** The state of a request, made on first use; undefined before the plugin's own onRequest hook. */
function stateOf (request: FastifyRequest): RequestState | undefined {
  const { [kReply]: reply, [kState]: state } = request
  if (state !== undefined || reply === undefined) return state
  // A hook of the app may run before those of the route: it is under the precondition of the route, too.
  const guard = request.routeOptions.config[kGuard]
  const { storage } = (guard ?? request.server[kRegistration]!).settings
  const made = isGuarded(guard, request.method)
    ? new GuardedRequest(request, reply, guard)
    : new RequestState(request, reply, storage)
  request[kState] = made
  return made
}

export default fp(ifMatch, { fastify: '5.x', name: 'fastify-if-match' })
