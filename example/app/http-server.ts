import type { FastifyServerFactory } from 'fastify'
import { createServer } from 'node:http'
import { trackAnswer } from './owed-answers.js'

/**
 * A server in which Node refuses nothing in words of its own: every answer has the headers, the form and the id of this
 * API. For `localhost`, Fastify would make further servers without these listeners; a server of a factory stays the
 * only one (engine-facts#fastify-localhost-servers). CONNECT alone is not answered: it has no listener here, so Node
 * ends the connection (engine-facts#node-connect-listener).
 */
export const createHttpServer: FastifyServerFactory = (handler) => {
  const server = createServer({
    requireHostHeader: false, // message-rules.ts does
    // Longer than load balancers keep an idle connection, so that they end it, and never in the middle of a request.
    keepAliveTimeout: 72_000,
    // How often Node looks for requests that are too slow. Its limits are a minute for a head, five for the whole.
    connectionsCheckingInterval: 1000
  }, (request, response) => {
    trackAnswer(request, response)
    handler(request, response)
  })
  // A client that has sent its requests and closes its side is still answered (reading 38). Without this, Node ends the
  // connection at once, and a write that had not begun is dropped (engine-facts#node-half-closed).
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('checkExpectation', (request, response) => { server.emit('request', request, response) })
  return server
}
