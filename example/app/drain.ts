import type { FastifyInstance } from 'fastify'

/**
 * Ends each connection with the answer that was in flight on it when the server began to close. A connection that is
 * kept alive would hold the process for the 72 seconds of its keepAliveTimeout (http-server.ts).
 */
export function drainConnections (app: FastifyInstance): void {
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    app.log.info('stopping')
  })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })
}
