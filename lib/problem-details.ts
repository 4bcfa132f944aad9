import { STATUS_CODES } from 'node:http'

/** A problem as RFC 9457 describes one, for `application/problem+json`. */
export interface ProblemDetails {
  type: string
  title: string
  status: number
  detail: string
  /** The stable code of the error, if it has one. */
  code?: string
  instance?: string
}

/** Options of `problemDetails`. */
export interface ProblemDetailsOptions {
  /** The URI to which the code is appended in lower case, to make the `type`. Without it, the type is `about:blank`. */
  base?: string
  /** The URI of this occurrence, such as the path of the request. */
  instance?: string
}

/**
 * Makes RFC 9457 problem details of an error. An error with a code of this package or of Fastify shows its message, and
 * so does any other one below 500; other errors of the server show their status alone.
 *
 * @example
 * app.setErrorHandler((error, request, reply) => {
 *   const problem = problemDetails(error, { instance: request.url })
 *   return reply.code(problem.status).type('application/problem+json').send(problem)
 * })
 */
export function problemDetails (error: unknown, { base, instance }: ProblemDetailsOptions = {}): ProblemDetails {
  const { statusCode, code, message = '' } = Object(error) as { statusCode?: number, code?: string, message?: string }
  const status = statusCode !== undefined && statusCode >= 400 ? statusCode : 500
  const phrase = STATUS_CODES[status] ?? 'Error'
  const isNamed = typeof code === 'string' && code.startsWith('FST_')
  return {
    type: base !== undefined && isNamed ? base + code.toLowerCase() : 'about:blank',
    title: phrase,
    status,
    detail: isNamed || status < 500 ? message : phrase,
    ...(isNamed && { code }),
    ...(instance !== undefined && { instance })
  }
}
