import type { FastifyInstance } from 'fastify'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError } from './errors.js'
import type { Limits } from './limits.js'

/** How long a request may count whose client hung up, in milliseconds: longer than the storage may take. */
const LONGEST_WORK = 60_000

/**
 * Bounds what one client can hold by being slow: 429 above so many requests that are not wholly received and answered,
 * ahead of their bodies. A client is a token. A request without one is known by its connection, so an address, which a
 * proxy would share among all, counts nowhere.
 */
export function limitClients (app: FastifyInstance, { maxRequestsPerToken: max }: Limits): void {
  if (max === undefined) return
  const unfinished = new WeakMap<object, Set<ServerResponse>>()

  // The first hook behind those that know the token, and the last one ahead of the body.
  app.addHook('preParsing', async ({ token, raw: { socket } }, { raw: response }) => {
    const client = token ?? socket
    const held = unfinished.get(client) ?? new Set()
    unfinished.set(client, held)
    if (held.size >= max) forgetLost(held)
    if (held.size >= max) throw tooMany(token === null ? 'connection' : 'token', max)
    held.add(response)
    response.once('close', () => {
      if (response.headersSent) held.delete(response)
      // Fastify makes no answer for a handler that returns nothing to a client that is gone, so some never come.
      else setTimeout(() => { held.delete(response) }, LONGEST_WORK).unref()
    })
  })
}

/**
 * Closes connections above so many. `maxConnections` of Node is not for workers: the primary would hand a connection
 * from one full worker to the next for ever (engine-facts#node-cluster-max-connections).
 */
export function limitConnections (app: FastifyInstance, { maxConnections: max }: Limits): void {
  if (max === undefined) return
  let open = 0
  let isTold = false
  app.server.on('connection', (socket: Socket) => {
    if (open >= max) {
      // Once until there is room again: a line for each connection would be load of its own.
      if (!isTold) app.log.warn({ maxConnections: max }, 'connections are closed: as many as allowed are open')
      isTold = true
      socket.destroy()
      return
    }
    isTold = false
    open++
    socket.once('close', () => { open-- })
  })
}

/**
 * Forgets requests whose connection is gone, and which are over. Until then they count: a client that hangs up and
 * sends again would otherwise have as many at work as it likes. Answers in a pipeline do not tell that their connection
 * is gone (engine-facts#node-queued-answers).
 */
function forgetLost (held: Set<ServerResponse>): void {
  for (const response of held) if (response.headersSent && response.req.socket.destroyed) held.delete(response)
}

function tooMany (client: 'connection' | 'token', max: number): ApiError {
  return new ApiError(
    429,
    'TooManyRequests',
    `This ${client} has ${max} requests that are not finished, and nothing was done for this one. Wait for the ` +
      'answers to some of them, and send it again.',
    { retryAfter: 1 }
  )
}
