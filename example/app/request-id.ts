import type { FastifyInstance } from 'fastify'

/** The header with the id of a request, which every line of its log has too (reading 36). */
export const REQUEST_ID = 'x-ms-correlation-request-id'

/** Sends the id with every answer. */
export function sendRequestId (app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => { reply.header(REQUEST_ID, request.id) })
}
