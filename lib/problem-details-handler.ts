import type { FastifyReply, FastifyRequest } from 'fastify'
import { messageOf, problemOf, statusOf } from './problem-details.js'

/** Options of `problemDetailsHandler`. */
export interface ProblemDetailsHandlerOptions {
  /** The URI to which the name of a type is appended, such as `https://example.com/problems/`. Default: our own page. */
  base?: string
  /** Names this occurrence by a URI, such as `(request) => request.url`. Without it, problems have no `instance`. */
  instance?: (request: FastifyRequest) => string | undefined
}

/**
 * Makes an error handler that answers every error with RFC 9457 problem details: those of this package, of validation,
 * of the app, and what is no error at all. As Fastify's own handler does, it takes the status and the headers of the
 * error, logs an error of the server with its stack at the level `error`, and others at `info`. It sends the problem
 * whole: no response schema of the route applies to it.
 *
 * @example
 * app.setErrorHandler(problemDetailsHandler({ base: 'https://example.com/problems/' }))
 * @see docs/reference/problems.md for the types
 */
export function problemDetailsHandler ({ base, instance }: ProblemDetailsHandlerOptions = {}) {
  return function answerProblem (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { headers } = Object(error) as { headers?: Record<string, string> }
    if (typeof headers === 'object' && headers !== null) reply.headers(headers)
    const status = statusOf(error) ?? (reply.statusCode >= 400 ? reply.statusCode : 500)
    const problem = problemOf(error, status, { base, instance: instance?.(request) })
    reply.code(status)
    log(error, request, reply)
    // As text, which no response schema cuts down: one for other errors would leave an empty object.
    reply.serializer(String).type('application/problem+json').send(JSON.stringify(problem))
  }
}

function log (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { server, log } = request
  if ((server.initialConfig as { disableRequestLogging?: unknown }).disableRequestLogging === true) return
  const message = messageOf(error)
  if (reply.statusCode >= 500) log.error({ req: request, res: reply, err: error }, message)
  else log.info({ res: reply, err: error }, message)
}
