import type { FastifyRequest } from 'fastify'
import { InvalidOptionsError } from '../errors.js'
import type { RouteRequest } from '../option-functions.js'

/**
 * What a function among the options of a route says of a request. It answers at once: the rejection of one that made a
 * promise is handled, and the caller refuses the promise as it does any other wrong answer.
 *
 * @param name as the message calls the function
 * @throws FST_IF_MATCH_INVALID_OPTIONS (500) if it throws
 */
export function optionAnswer (
  name: string, option: (request: RouteRequest) => unknown, request: FastifyRequest
): unknown {
  let answer: unknown
  try {
    answer = option(request)
  } catch (cause) {
    // What was thrown may be undefined, which a hook of Fastify takes for success.
    throw new InvalidOptionsError(addressOf(request), `${name} threw what the log has as the cause.`, { cause })
  }
  if (typeof answer === 'object') Promise.resolve(answer).catch(() => {})
  return answer
}

/** What messages call the route of a request. */
export function addressOf ({ method, routeOptions: { url } }: FastifyRequest): string {
  return `${method} ${url}`
}
