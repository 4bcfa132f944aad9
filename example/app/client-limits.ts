import type { FastifyInstance } from 'fastify'
import type { ServerResponse } from 'node:http'
import { ApiError } from './errors.js'
import type { Limits } from './limits.js'

/**
 * Bounds what one client can hold by being slow: 429 above so many requests that are not wholly received and answered,
 * ahead of their bodies. A client is a token. A request without one is known by its connection, so an address, which a
 * proxy would share among all, counts nowhere.
 */
export function limitClients (app: FastifyInstance, { maxRequestsPerToken = Infinity }: Limits): void {
  const unfinished = new WeakMap<object, Set<ServerResponse>>()

  // The first hook behind those that know the token, and the last one ahead of the body.
  app.addHook('preParsing', async ({ token, raw: { socket } }, { raw: response }) => {
    const client = token ?? socket
    const held = unfinished.get(client) ?? new Set()
    unfinished.set(client, held)
    if (held.size >= maxRequestsPerToken) forgetLost(held)
    if (held.size >= maxRequestsPerToken) {
      throw new ApiError(
        429,
        'TooManyRequests',
        `This token has ${maxRequestsPerToken} requests that are not finished, and nothing was done for this one. ` +
          'Wait for the answers to some of them, and send it again.',
        { retryAfter: 1 }
      )
    }
    held.add(response)
    response.once('close', () => { held.delete(response) })
  })

  // Node closes these without an answer.
  app.server.on('drop', () => { app.log.warn('connection dropped: as many as allowed are open') })
}

/** Answers in a pipeline do not tell that their connection is gone (engine-facts#node-queued-answers). */
function forgetLost (held: Set<ServerResponse>): void {
  for (const response of held) if (response.req.socket.destroyed) held.delete(response)
}
