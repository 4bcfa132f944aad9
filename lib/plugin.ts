import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import './augment.js'
import { closeAdapter, openAdapter } from './adapter-lifecycle.js'
import { InvalidOptionsError, NotGuardedError } from './errors.js'
import { joinLines } from './http/list-header.js'
import { answersNotModified, methodKind } from './http/method.js'
import { pluginSettings, type IfMatchOptions } from './options.js'
import type { Entity } from './request/entity.js'
import { FurtherEntity } from './request/further-entity.js'
import { GuardedRequest } from './request/guarded-request.js'
import { onlyEntered, onSendNotFound, routeHooks } from './request/hooks.js'
import { OwnEntity } from './request/own-entity.js'
import { RequestState } from './request/state.js'
import { kGuard, kRegistration, kReply, kState } from './request/symbols.js'
import { guardRoute, isGuarded, methodsOf, type Registration } from './route/guard.js'
import { addFirst, addLast } from './route/hook-order.js'
import type { StorageAdapter } from './storage/adapter.js'

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
  const registration: Registration = { settings: pluginSettings(options), global: options.global ?? false }
  const adapters = new Set([registration.settings.storage])
  const isNested = fastify[kRegistration] !== undefined
  fastify[kRegistration] = registration
  if (!isNested) fastify.decorateRequest('entity', entity)

  fastify.addHook('onRoute', function (route) {
    if (this[kRegistration] !== registration) return
    const guard = guardRoute(registration, route, timeoutOf(this))
    if (guard === undefined) return
    adapters.add(guard.settings.storage)
    route.config = { ...route.config, [kGuard]: guard }
    const hooks = routeHooks(guard)
    addLast(route, 'onRequest', hooks.onRequest)
    addLast(route, 'preValidation', hooks.preValidation)
    addLast(route, 'preHandler', hooks.preHandler)
    if (methodsOf(route).some(answersNotModified)) addLast(route, 'preSerialization', hooks.preSerialization)
    if (methodsOf(route).includes('HEAD')) addFirst(route, 'onSend', hooks.unpackHead)
    addLast(route, 'onSend', hooks.onSend)
    route.handler = onlyEntered(guard, route.handler)
  })

  fastify.addHook('onRequest', function (request, reply, done) {
    request[kReply] = reply
    joinLines(request.raw)
    done(this[kRegistration] === registration ? unguarded(registration, request) : undefined)
  })

  fastify.addHook('onSend', onSendNotFound)

  const opened: StorageAdapter[] = []
  fastify.addHook('onReady', async () => {
    for (const adapter of adapters) {
      await openAdapter(adapter)
      opened.push(adapter)
    }
  })
  fastify.addHook('onClose', async () => {
    await Promise.all(opened.map(closeAdapter))
  })
}

// The default of the server, which Fastify's types leave out. Early versions of Fastify 5 give undefined: not above 0.
function timeoutOf ({ initialConfig }: FastifyInstance): number {
  return (initialConfig as { handlerTimeout: number }).handlerTimeout
}

/** The error for a route that should be guarded and is not, because it was added before the plugin was ready. */
function unguarded (registration: Registration, request: FastifyRequest): Error | undefined {
  const { config, url } = request.routeOptions
  if (config[kGuard]?.registration === registration || request.is404) return undefined
  const isMeant = config.ifMatch === undefined
    ? registration.global && methodKind(request.method) === 'write'
    : config.ifMatch !== false
  if (!isMeant) return undefined
  return new NotGuardedError(
    request.method,
    url,
    'it was added before fastify-if-match was ready. Await the registration of the plugin, ' +
      'or add the route in a plugin that is registered after it.'
  )
}

/** `request.entity()`. */
function entity<T> (this: FastifyRequest, key?: string, context?: unknown): Entity<T> {
  const state = stateOf(this)
  // The key of the route's own entity may be spelled out: it does not go around the precondition.
  if (state instanceof GuardedRequest && (key === undefined || key === state.own.key)) {
    return new OwnEntity<T>(state, context)
  }
  if (state === undefined || key === undefined) {
    throw new NotGuardedError(
      this.method,
      this.routeOptions.url,
      'request.entity() needs config.ifMatch on the route, or the key of an entity, ' +
        'and works after the onRequest hook of the plugin.'
    )
  }
  return new FurtherEntity<T>(state, state.further(key), context)
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
