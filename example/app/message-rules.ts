import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.js'

/**
 * Refuses what Node would refuse in its own words if it were asked to (http-server.ts): a request whose Host is not
 * clear (RFC 9112 3.2), and an expectation that is none (RFC 9110 10.1.1). HTTP/1.0 may do without both.
 */
export function applyMessageRules (app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw }, reply) => {
    const isOld = raw.httpVersion === '1.0'
    const hosts = raw.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length
    if (hosts > 1 || (hosts === 0 && !isOld)) { throw new ApiError(400, 'BadRequest', 'The request has no Host header, or more than one. Send one.') }
    const { expect } = raw.headers
    if (expect !== undefined && !isOld && expect.toLowerCase() !== '100-continue') {
      // A client that waits never sends the body, which the next request would be taken for.
      reply.header('connection', 'close')
      throw new ApiError(417, 'BadRequest', 'The only expectation that this server meets is "Expect: 100-continue".')
    }
  })
}
