import type { FastifyServerFactory } from 'fastify'
import { createServer, type ServerResponse } from 'node:http'
import type { Limits } from './limits.js'
import { trackAnswer } from './owed-answers.js'

/**
 * A server in which Node refuses nothing in words of its own: every answer has the headers, the form and the id of this
 * API. For `localhost`, Fastify would make further servers without these listeners; a server of a factory stays the
 * only one (engine-facts#fastify-localhost-servers). CONNECT alone is not answered: it has no listener here, so Node
 * ends the connection (engine-facts#node-connect-listener).
 */
export const httpServerOf = ({ requestMs, answerMs }: Limits): FastifyServerFactory => (handler) => {
  const server = createServer({
    requireHostHeader: false, // message-rules.ts does
    // Longer than load balancers keep an idle connection, so that they end it, and never in the middle of a request.
    keepAliveTimeout: 72_000,
    // How often Node looks for requests that are too slow: 408.
    connectionsCheckingInterval: 1000,
    // Without it: a minute for a head, five for the whole.
    ...(requestMs !== undefined && { requestTimeout: requestMs, headersTimeout: Math.min(requestMs, 60_000) })
  }, (request, response) => {
    trackAnswer(request, response)
    if (answerMs !== undefined) endUntaken(response, answerMs)
    handler(request, response)
  })
  // A client that has sent its requests and closes its side is still answered (reading 38). Without this, Node ends the
  // connection at once, and a write that had not begun is dropped (engine-facts#node-half-closed).
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('checkExpectation', (request, response) => { server.emit('request', request, response) })
  return server
}

/**
 * Ends the connection of a client that has taken nothing for so long of what was sent. A connection where nothing waits
 * to be sent is left alone: then it is the server that takes its time.
 */
function endUntaken (response: ServerResponse, answerMs: number): void {
  response.setTimeout(answerMs, () => { if (response.socket!.writableLength > 0) response.socket!.destroy() })
}
