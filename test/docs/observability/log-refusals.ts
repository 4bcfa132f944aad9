import type { FastifyReply } from 'fastify'
import type { IfMatchError, RouteRequest } from 'fastify-if-match'

/** A line for each refusal, with the id of the request: `app.register(ifMatch, { storage, onRefused: logRefusal })`. */
export function logRefusal (request: RouteRequest, reply: FastifyReply, { code }: IfMatchError): void {
  const { method, routeOptions: { url } } = request
  request.log.info({ code, method, route: url, status: reply.statusCode }, 'refused')
}
