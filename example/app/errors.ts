import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isIfMatchError } from 'fastify-if-match'
import type { ErrorBody } from './error-schema.js'
import { REQUEST_ID } from './request-id.js'
import { SECURITY_HEADERS } from './security-headers.js'

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

// Fastify's messages quote the address, and tell no limit; that of a body is its default.
const MESSAGE_OF_FASTIFY: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'The address has a percent sign that begins no code of UTF-8. Write the percent sign itself as %25.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body takes more than 1048576 bytes. Send a smaller one.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the address is too long.'
}

/** What refuses a request, wherever that happens. */
type Failure = Error & { code?: string, statusCode?: number }

/** A refusal as it is sent, be it by a reply or, where there is none, by hand. */
export interface Refusal {
  status: number
  headers: Readonly<Record<string, string>>
  body: ErrorBody
}

/** The one form of every refusal of this server: its status, its headers and its body (CPP §2). */
export function refusalOf (error: Failure, id: string): Refusal {
  const status = statusOf(error)
  return {
    status,
    headers: { ...SECURITY_HEADERS, [REQUEST_ID]: id, 'content-type': 'application/json; charset=utf-8' },
    body: { error: { code: codeOf(error, status), message: messageOf(error, status) } }
  }
}

/** Answers an error in the form of the API. What failed in the server goes to its log, under the id of the request. */
export function answerError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = refusalOf(error, request.id)
  // A client that left is no failure; nobody sees this answer.
  if (status >= 500 && error.code !== 'FST_IF_MATCH_LATE_WRITE') request.log.error({ err: error }, 'request failed')
  // The message may quote the document, which is its client's business alone.
  else request.log.info({ code: error.code }, 'request refused')
  return reply.code(status).headers(headers).send(body)
}

/** Answers a request that no route is for. */
export function answerNoRoute ({ id, method }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = refusalOf(
    new ApiError(404, 'RouteNotFound', `There is no ${method} at this address.`),
    id
  )
  return reply.code(status).headers(headers).send(body)
}

function statusOf ({ code, statusCode }: Failure): number {
  // The API keeps 422 for an offer that cannot be published (CPP §3); what cannot even be stored is a wrong body.
  if (code === 'FST_IF_MATCH_INVALID_VALUE') return 400
  return statusCode !== undefined && statusCode >= 400 && statusCode <= 599 ? statusCode : 500
}

function codeOf (error: Failure, status: number): string {
  if (error instanceof ApiError) return error.code
  return CODE_OF_PLUGIN[error.code ?? ''] ?? CODE_OF_STATUS[status] ?? CODE_OF_STATUS[status < 500 ? 400 : 500]!
}

function messageOf (error: Failure, status: number): string {
  if (error instanceof ApiError) return error.message
  const isOfPlugin = isIfMatchError(error)
  if (status >= 500 && !(status === 503 && isOfPlugin)) return 'The request failed in the server. Send it again later.'
  // The plugin guards entities of any kind; those of this API are offers.
  if (isOfPlugin) return error.message.replaceAll(/\bentity\b(?!-)/g, 'offer')
  return MESSAGE_OF_FASTIFY[error.code ?? ''] ?? error.message
}
