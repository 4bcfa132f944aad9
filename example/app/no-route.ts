import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import { ApiError, errorAnswer } from './errors.js'

/** How the router reads addresses. It refuses no long id: the schema of the route does, once the caller is known. */
export const ROUTER_OPTIONS = { ignoreTrailingSlash: true, maxParamLength: 16_384 }

/**
 * Answers a request that no route is for: 405 with `Allow` if its address has other methods (RFC 9110 15.5.6), and 404
 * if it has none. Both rank ahead of the token (reading 7): they tell of the address alone, which the OpenAPI document
 * shows to everybody. They rank ahead of the body as well: whatever it is, no route would read it.
 *
 * Which methods an address has is asked of a router like Fastify's own, which keeps its one to itself. Call it ahead of
 * the first route, and behind the hooks that refuse a message of any address.
 */
export function answerNoRoute (app: FastifyInstance): void {
  const router = findMyWay(ROUTER_OPTIONS)
  const methods = new Set<HTTPMethod>()
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat() as HTTPMethod[]) {
      methods.add(name)
      // Fastify passes over the HEAD that it would add where a plugin has made one.
      if (router.find(name, url) === null) router.on(name, url, () => {})
    }
  })
  /** The methods of an address. `*` is none: it stands for the server as a whole (RFC 9110 9.3.7). */
  const methodsOf = (url: string): string[] =>
    url === '*' ? [] : [...methods].filter((name) => router.find(name, url) !== null).sort()
  const refuse = ({ id, method, raw }: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const allowed = methodsOf(raw.url!)
    // A route that knows the method may still find nothing at the address, as that of the files of the page.
    const error = allowed.length === 0 || allowed.includes(method)
      ? new ApiError(404, 'RouteNotFound', `There is no ${method} at this address.`)
      : new ApiError(405, 'MethodNotAllowed', `There is no ${method} at this address, which has ${allowed.join(', ')}.`)
    if (error.statusCode === 405) reply.header('allow', allowed.join(', '))
    // Caches may keep either, unless they are told (RFC 9110 15.1).
    const { status, headers, body } = errorAnswer(error, id)
    return reply.code(status).header('cache-control', 'no-cache').headers(headers).send(body)
  }
  app.addHook('onRequest', async (request, reply) => request.is404 ? refuse(request, reply) : undefined)
  app.setNotFoundHandler(refuse)
}
