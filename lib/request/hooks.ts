import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteHandlerMethod } from 'fastify'
import { GuardedRequest } from './guarded-request.js'
import { OwnEntity } from './own-entity.js'
import { mayRepresent, represented, type Represented } from './representation.js'
import { kState } from './symbols.js'
import type { Trace } from './trace.js'
import { discard, isResponse, unpackHead } from './whatwg-response.js'
import { isIfMatchError, NotGuardedError } from '../errors.js'
import { isGuarded, type GuardedRoute } from '../route/guard.js'

type DonePayload = (error: null, payload: unknown) => void

/**
 * The hooks of one guarded route. They call `done` where they can, and return a promise where they wait for writes:
 * Fastify takes either, and a promise in every hook costs a tenth of a fast request. Each may run twice: a hook that
 * was concatenated with others and wrapped runs where it was put, and once more at the end. So the last run decides.
 */
export function routeHooks (route: GuardedRoute) {
  const { precheck } = route.settings
  return {
    /** Parses the preconditions, and refuses nothing yet: 401, 403, 413 and 415 come first (RFC 9110 13.2.1). */
    onRequest (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
      if (isGuarded(route, request.method)) request[kState] ??= new GuardedRequest(request, reply, route)
      done()
    },

    /** Fastify validates the request next. */
    preValidation (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
      const state = guardedState(request)
      if (state !== undefined) {
        state.preconditions.keep()
        state.isValidated = true
      }
      done()
    },

    /**
     * Compares before the handler does anything expensive, and refuses a write that names no strategy. In this order: a
     * false `If-None-Match` is a 412 even where `If-Match` is missing (decision 0005).
     */
    preHandler (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
      const state = guardedState(request)
      if (state === undefined || state.isEntered) done()
      else if (state.trace === undefined) compare(state, precheck, done)
      else compareTraced(state, state.trace, precheck, done)
    },

    /** Spares a 304 its serialisation. Strings, buffers, streams and `Response`s skip this hook. */
    preSerialization (
      request: FastifyRequest,
      _reply: FastifyReply,
      payload: unknown,
      done: DonePayload
    ): Promise<unknown> | void {
      const state = guardedState(request)
      if (state === undefined) return done(null, payload)
      if (state.mustWait()) return state.endOfWrites().then(() => beforeSerialization(state, payload))
      done(null, beforeSerialization(state, payload))
    },

    /** Decides in the end: what became of unfinished writes, the 304, and the headers of the final status. */
    onSend (
      request: FastifyRequest,
      reply: FastifyReply,
      payload: unknown,
      done: DonePayload
    ): Promise<unknown> | void {
      // A hook that ran ahead of our first one may have answered: its 404 must not be kept by caches either.
      if (isGuarded(route, request.method)) request[kState] ??= new GuardedRequest(request, reply, route)
      const state = guardedState(request)
      return state === undefined ? done(null, payload) : answer(state, payload, done)
    },

    /** Runs ahead of the hook by which Fastify counts the body of a HEAD, which cannot take a `Response`. */
    unpackHead (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: DonePayload): void {
      const isWhole = request.method === 'HEAD' && isResponse(payload) && !payload.bodyUsed
      done(null, isWhole ? unpackHead(reply, payload) : payload)
    }
  }
}

/**
 * Ends a guarded request whose handler called `reply.callNotFound()`. Fastify leaves the hooks of the route then, and
 * runs those of the instance (engine-facts#fastify-call-not-found).
 */
export function onSendNotFound (
  request: FastifyRequest,
  _reply: FastifyReply,
  payload: unknown,
  done: DonePayload
): Promise<unknown> | void {
  const state = guardedState(request)
  return state === undefined || !request.is404 ? done(null, payload) : answer(state, payload, done)
}

/** Refuses to enter a handler that our preHandler did not let pass: whoever goes around our hooks is stopped here. */
export function onlyEntered (route: GuardedRoute, handler: RouteHandlerMethod): RouteHandlerMethod {
  return function (request, reply) {
    const state = guardedState(request)
    if (isGuarded(route, request.method) && state?.isEntered !== true) {
      throw new NotGuardedError(
        request.method,
        request.routeOptions.url,
        'its handler was called ahead of the preHandler of fastify-if-match. Let Fastify call it.'
      )
    }
    const trace = state?.trace
    if (trace === undefined) return handler.call(this, request, reply)
    return trace.run(() => handler.call(this, request, reply))
  }
}

function guardedState (request: FastifyRequest): GuardedRequest | undefined {
  const state = request[kState]
  return state instanceof GuardedRequest ? state : undefined
}

/** Refuses what cannot be read, names no strategy, or is false already. */
function compare (state: GuardedRequest, precheck: boolean, done: HookHandlerDoneFunction): void {
  state.assertSameKey()
  state.preconditions.assertWellFormed()
  state.resend?.assertWellFormed()
  if (precheck && state.preconditions.needsComparison()) {
    OwnEntity.of(state).precheck(done)
  } else {
    state.enter()
    done()
  }
}

/** The same, and notes why. */
function compareTraced (state: GuardedRequest, trace: Trace, precheck: boolean, done: HookHandlerDoneFunction): void {
  trace.run(() => {
    compare(state, precheck, (error) => {
      trace.note(error)
      done(error)
    })
  })
}

/** Refuses a success that a write, or the precondition of a read, did not allow. */
function assertSuccess (state: GuardedRequest): void {
  state.assertWritten()
  const { statusCode } = state.reply
  if (state.kind !== 'read' || state.ownIfUsed === undefined || statusCode < 200 || statusCode >= 300) return
  OwnEntity.of(state).assertReadPrecondition()
}

function answer (state: GuardedRequest, payload: unknown, done: DonePayload): Promise<unknown> | void {
  if (isResponse(payload)) state.reply.code(payload.status)
  if (!state.mustWait() && !mayRepresent(state)) return done(null, beforeSending(state, payload))
  return state.endOfWrites().then(
    () => mayRepresent(state) ? represent(state, payload) : beforeSending(state, payload),
    (error: unknown) => refuse(state, payload, error)
  )
}

/** Answers a 412 with the current representation, if the function of the route makes one for this caller. */
async function represent (state: GuardedRequest, payload: unknown): Promise<unknown> {
  // The answer is decided: nothing may be written while the function looks at what is there.
  state.isAnswered = true
  return beforeSending(state, payload, await represented(state))
}

/** Refuses a success. Once no error handler is left, Fastify sends the error of a hook with the status of the reply. */
function refuse ({ reply, trace }: GuardedRequest, payload: unknown, error: unknown): never {
  trace?.note(error)
  discard(payload)
  reply.code(isIfMatchError(error) ? error.statusCode : 500)
  throw error
}

function beforeSerialization (state: GuardedRequest, payload: unknown): unknown {
  const { reply, response } = state
  assertSuccess(state)
  if (!response.hasVariants) response.becomeNotModified(state.preconditions.copies, state.ownIfUsed)
  if (response.isNotModified) {
    // An error that comes up on the way to a 304 is sent by the same reply, and needs its body.
    reply.serializer((body) => response.isNotModified ? '' : typeof body === 'string' ? body : JSON.stringify(body))
  }
  return payload
}

function beforeSending (state: GuardedRequest, payload: unknown, shown?: Represented): unknown {
  const { response } = state
  try {
    assertSuccess(state)
    payload = response.unpack(payload)
    if (!response.isNotModified) response.becomeNotModified(state.preconditions.copies, state.ownIfUsed)
    response.setHeaders(state.ownIfUsed, state.mayResend, shown)
  } catch (error) {
    refuse(state, payload, error)
  }
  state.isAnswered = true
  if (state.trace !== undefined) state.tellOnceSent(state.trace)
  if (shown === undefined && !response.isNotModified) return payload
  discard(payload)
  return shown?.payload ?? null
}
