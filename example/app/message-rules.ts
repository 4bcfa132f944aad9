import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.js'

/**
 * Refuses what Node would refuse in words of its own, had http-server.ts not told it to let that pass: a request
 * without a Host or with two (RFC 9112 3.2), and an expectation that the server does not know (RFC 9110 10.1.1).
 * HTTP/1.0 knows neither field.
 */
export function applyMessageRules (app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw }, reply) => {
    const isOld = raw.httpVersion === '1.0'
    const hosts = raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length
    if (hosts > 1 || (hosts === 0 && !isOld)) {
      throw new ApiError(400, 'BadRequest', 'The request has no Host header, or more than one. Send one.')
    }
    const { expect } = raw.headers
    if (expect !== undefined && !isOld && expect.toLowerCase() !== '100-continue') {
      // A client that waits for 100 never sends the body, and the server would take the next request for it.
      reply.header('connection', 'close')
      throw new ApiError(417, 'BadRequest', 'The only expectation that this server meets is "Expect: 100-continue".')
    }
  })
}
