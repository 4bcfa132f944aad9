import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteHandlerMethod } from 'fastify'
import { becomesNotModified, discard, isNotModified, setHeaders } from './response.js'
import { EntityHandle } from './entity-handle.js'
import { NotGuardedError } from '../errors.js'
import type { GuardedRoute } from '../route/guard.js'
import { isGuarded, RequestState } from './state.js'
import { kState } from './symbols.js'

type DonePayload = (error: null, payload: unknown) => void

/**
 * The hooks of one guarded route. They call `done` where there is nothing to wait for, and return a promise where there
 * is: Fastify takes either, and a promise in every hook costs a tenth of a fast request.
 */
export function routeHooks (route: GuardedRoute) {
  const { precheck, storage } = route.settings
  return {
    /** Parses the preconditions, and refuses nothing yet: 401, 403, 413 and 415 come first (R45). */
    onRequest (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
      if (isGuarded(route, request.method)) request[kState] ??= new RequestState(request, reply, storage, route)
      done()
    },

    /**
     * Compares early, before the handler does anything expensive, and refuses what names no strategy. In this order: an
     * `If-None-Match` that is false is a 412 even where an `If-Match` is asked for (R55).
     */
    preHandler (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): Promise<void> | void {
      const state = request[kState]
      if (state?.route !== undefined && !state.isEntered) {
        state.demandWellFormed()
        if (precheck && state.needsComparison()) {
          return new EntityHandle(state, state.own, undefined).precheck().then(() => {
            state.enter()
          })
        }
        state.enter()
      }
      done()
    },

    /** Spares a 304 its serialisation. Strings, buffers and streams skip this hook. */
    preSerialization (
      request: FastifyRequest,
      _reply: FastifyReply,
      payload: unknown,
      done: DonePayload
    ): Promise<unknown> | void {
      const state = request[kState]
      if (state?.route === undefined) return done(null, payload)
      if (state.mustWait()) return state.endOfWrites().then(() => beforeSerialization(state, payload))
      done(null, beforeSerialization(state, payload))
    },

    /** The last word: what was left unfinished, the 304, and the headers of the final status. */
    onSend (
      request: FastifyRequest,
      _reply: FastifyReply,
      payload: unknown,
      done: DonePayload
    ): Promise<unknown> | void {
      const state = request[kState]
      if (state?.route === undefined) return done(null, payload)
      if (state.mustWait()) {
        return state.endOfWrites().then(
          () => beforeSending(state, payload),
          (error: unknown) => {
            discard(payload)
            throw error
          }
        )
      }
      done(null, beforeSending(state, payload))
    }
  }
}

/** A handler that is not entered without our preHandler: should another plugin have taken our hooks away, it fails closed. */
export function onlyEntered (route: GuardedRoute, handler: RouteHandlerMethod): RouteHandlerMethod {
  return function (request, reply) {
    if (isGuarded(route, request.method) && request[kState]?.isEntered !== true) {
      throw new NotGuardedError(
        request.method,
        request.routeOptions.url,
        'another plugin took the hooks of fastify-if-match away from it. Register that plugin first.'
      )
    }
    return handler.call(this, request, reply)
  }
}

function beforeSerialization (state: RequestState, payload: unknown): unknown {
  state.demandWrite()
  // An error that comes up on the way to a 304 is sent by the same reply, and wants its body.
  if (becomesNotModified(state)) {
    state.reply.serializer((body) =>
      isNotModified(state) ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    )
  }
  return payload
}

function beforeSending (state: RequestState, payload: unknown): unknown {
  try {
    state.demandWrite()
    if (!isNotModified(state)) becomesNotModified(state)
    setHeaders(state)
  } catch (error) {
    discard(payload)
    throw error
  }
  state.isAnswered = true
  if (!isNotModified(state)) return payload
  discard(payload)
  return null
}
