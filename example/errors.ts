import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isIfMatchError } from 'fastify-if-match'
import type { ErrorBody } from './error-schema.js'
import { REQUEST_ID } from './request-id.js'

/** An error of the API itself. Clients match the code; the message may change. */
export class ApiError extends Error {
  constructor (readonly statusCode: number, readonly code: string, message: string, options?: ErrorOptions) {
    super(message, options)
  }
}

// BadRequest, Forbidden, InternalServerError and, in api-version.ts, InvalidAPIVersion are Microsoft's. It left the
// others open (CPP §2), so those names are ours, and stable.
const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'RouteNotFound',
  412: 'PreconditionFailed',
  413: 'DocumentTooLarge',
  415: 'UnsupportedMediaType',
  500: 'InternalServerError',
  503: 'ServiceUnavailable'
}

// Where a client can do more with a name than its status tells.
const CODE_OF_PLUGIN: Readonly<Record<string, string>> = {
  FST_IF_MATCH_REQUIRED: 'MissingIfMatch',
  FST_IF_MATCH_MALFORMED: 'MalformedPrecondition',
  FST_IF_MATCH_ENTITY_ABSENT: 'OfferNotFound',
  FST_IF_MATCH_OUTCOME_UNKNOWN: 'OutcomeUnknown'
}

/** Answers an error in the form of the API. What failed in the server goes to its log, under the id of the request. */
export function answerError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = statusOf(error)
  if (status >= 500) request.log.error({ err: error }, 'request failed')
  // The message may quote the document, which is its client's business alone.
  else request.log.info({ code: error.code }, 'request refused')
  // No hook sets the id where the address alone is refused.
  return reply.code(status).header(REQUEST_ID, request.id).send(bodyOf(error, status))
}

/** Answers a request that no route is for. */
export function answerNoRoute (request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(404).send(bodyOf(new ApiError(404, 'RouteNotFound', `There is no ${request.method} at this address.`), 404))
}

function statusOf ({ code, statusCode }: Partial<FastifyError>): number {
  // The API keeps 422 for an offer that cannot be published (CPP §3); what cannot even be stored is a wrong body.
  if (code === 'FST_IF_MATCH_INVALID_VALUE') return 400
  return statusCode !== undefined && statusCode >= 400 && statusCode <= 599 ? statusCode : 500
}

function bodyOf (error: Error & { code?: string }, status: number): ErrorBody {
  if (error instanceof ApiError) return { error: { code: error.code, message: error.message } }
  const code = CODE_OF_PLUGIN[error.code ?? ''] ?? CODE_OF_STATUS[status] ?? CODE_OF_STATUS[status < 500 ? 400 : 500]!
  const isForClients = status < 500 || (status === 503 && isIfMatchError(error))
  return { error: { code, message: isForClients ? error.message : 'The request failed in the server. Send it again later.' } }
}
