import type { FastifyServerFactory } from 'fastify'
import { createServer } from 'node:http'
import { noteRequest } from './client-errors.js'

/**
 * A server that has nothing refused by Node in its own words: every answer has the headers, the form and the id of this
 * API. It is the only one of its app; for localhost, Fastify would make others without these listeners. The one thing
 * that it does not answer is CONNECT: Node takes its own listeners off such a connection, and what is left of it would
 * end the process by a reset. Without a listener for it Node ends the connection.
 */
export const createHttpServer: FastifyServerFactory = (handler) => {
  const server = createServer({
    requireHostHeader: false, // message-rules.ts does
    // Longer than load balancers keep a connection idle, so that they end it, and not in the middle of a request.
    keepAliveTimeout: 72_000,
    // How late Node sees that a request is too slow, by its own limits: a minute for a head, five for the whole.
    connectionsCheckingInterval: 1000
  }, (request, response) => {
    noteRequest(request, response)
    handler(request, response)
  })
  server.on('checkExpectation', (request, response) => { server.emit('request', request, response) })
  return server
}
