import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { becomesNotModified, discard, isNotModified, setHeaders } from './answer.js'
import { EntityHandle } from './entity-handle.js'
import { NotWrittenError } from './errors.js'
import type { GuardedRoute } from './guarded-route.js'
import { RequestState } from './request-state.js'
import { kState } from './symbols.js'

/** The hooks of one guarded route. */
export function routeHooks (route: GuardedRoute) {
  return {
    /** Parses the preconditions, and refuses nothing yet: 401, 403, 413 and 415 come first (R45). */
    onRequest (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
      const state = new RequestState(request, reply, route.settings.storage, route)
      if (state.kind === 'write' || !route.writesOnly) request[kState] = state
      done()
    },

    /**
     * Compares early, before the handler does anything expensive, and refuses what names no strategy. In this order: an
     * `If-None-Match` that is false is a 412 even where an `If-Match` is asked for (R55).
     */
    async preHandler (request: FastifyRequest): Promise<void> {
      const state = request[kState]
      if (state === undefined || state.kind === 'exempt') return
      state.demandWellFormed()
      if (route.settings.precheck && state.needsComparison()) {
        await new EntityHandle(state, state.own, undefined).precheck()
      }
      if (state.kind === 'write') state.demandStrategy()
      state.isEntered = true
    },

    /** Spares a 304 its serialisation. Strings, buffers and streams skip this hook. */
    async preSerialization (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
      const state = request[kState]
      if (state === undefined) return payload
      await settle(state)
      if (becomesNotModified(state)) reply.serializer(() => '')
      return payload
    },

    /** The last word: what was left unfinished, the 304, and the headers of the final status. */
    async onSend (request: FastifyRequest, _reply: FastifyReply, payload: unknown): Promise<unknown> {
      const state = request[kState]
      if (state === undefined) return payload
      try {
        await settle(state)
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
  }
}

/**
 * Before a success: awaits the writes that the handler did not await, whose rejection is the answer, and refuses the
 * success of a state-changing handler that never let its precondition decide anything.
 */
async function settle (state: RequestState): Promise<void> {
  if (state.reply.statusCode >= 400) return
  while (state.pending.size > 0) await Promise.all(state.pending)
  if (!state.isEntered || state.kind !== 'write' || state.own.left !== undefined) return
  throw state.own.failure ?? new NotWrittenError(state.request.method, state.request.routeOptions.url)
}
