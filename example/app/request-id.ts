import type { FastifyInstance } from 'fastify'

/** The header that tells the id of a request, which is in every line of its log too (CPP §2). */
export const REQUEST_ID = 'x-ms-correlation-request-id'

/** Sends the id with every answer. */
export function tellRequestId (app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => { reply.header(REQUEST_ID, request.id) })
}
