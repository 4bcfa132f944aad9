import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isIfMatchError, isRefusalError } from 'fastify-if-match'
import type { ErrorBody } from './error-schema.js'
import { REQUEST_ID } from './request-id.js'
import { SECURITY_HEADERS } from './security-headers.js'

/** An error of the API itself. Clients match the code; the message may change. */
export class ApiError extends Error {
  /** When to send the request again, in seconds: with an error that comes ahead of every effect alone. */
  readonly retryAfter: number | undefined

  constructor (
    readonly statusCode: number,
    readonly code: string,
    message: string,
    { retryAfter, ...options }: ErrorOptions & { retryAfter?: number } = {}
  ) {
    super(message, options)
    this.retryAfter = retryAfter
  }
}

// BadRequest, Forbidden, InternalServerError and InvalidAPIVersion (api-version.ts) are Microsoft's. The other names
// are ours, and stable (reading 11).
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

// Errors of the plugin whose code tells a client more than their status does.
const CODE_OF_PLUGIN: Readonly<Record<string, string>> = {
  FST_IF_MATCH_REQUIRED: 'MissingIfMatch',
  FST_IF_MATCH_MALFORMED: 'MalformedPrecondition',
  FST_IF_MATCH_IDEMPOTENCY_KEY: 'MalformedIdempotencyKey',
  FST_IF_MATCH_ENTITY_ABSENT: 'OfferNotFound',
  FST_IF_MATCH_KEY_REUSED: 'IdempotencyKeyReused',
  FST_IF_MATCH_OUTCOME_UNKNOWN: 'OutcomeUnknown',
  // Nothing was applied: a request of this API writes once. ServiceUnavailable, which gateways say too, would not tell.
  FST_IF_MATCH_STORAGE_UNAVAILABLE: 'StorageUnavailable',
  FST_IF_MATCH_CONTENTION: 'Contention'
}

// Fastify's own messages quote the address and name no limit. The limit of a body is Fastify's default.
const MESSAGE_OF_FASTIFY: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'The address has a percent sign that begins no code of UTF-8. Write the percent sign itself as %25.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body takes more than 1048576 bytes. Send a smaller one.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the address is too long.'
}

// A failure may come behind a write, so nothing here invites to send that again.
const FAILED = 'The request failed in the server. If it was a change, it may have been applied: read the offer, and ' +
  'then decide.'

// A client that hung up is no failure of the server, and nobody sees the answer. Overload is logged once for many
// requests (pressure.ts).
const NO_FAILURE: ReadonlySet<string> = new Set(['FST_IF_MATCH_LATE_WRITE', 'Overloaded'])

/** An error that ends a request, from the app, the plugin, Fastify or Node. */
type Failure = Error & { code?: string, statusCode?: number }

/** The answer to a request that failed. */
export interface ErrorAnswer {
  status: number
  headers: Readonly<Record<string, string>>
  body: ErrorBody
}

/** The answer to a failed request: the one form that all refusals of this server have (reading 30). */
export function errorAnswer (error: Failure, requestId: string): ErrorAnswer {
  const status = statusOf(error)
  return {
    status,
    headers: {
      ...SECURITY_HEADERS,
      ...(error instanceof ApiError && error.retryAfter !== undefined && { 'retry-after': String(error.retryAfter) }),
      [REQUEST_ID]: requestId,
      'content-type': 'application/json; charset=utf-8'
    },
    body: {
      error: {
        code: codeOf(error, status),
        message: messageOf(error, status),
        ...(isRefusalError(error) && error.ownWrite !== undefined && { ownWrite: error.ownWrite })
      }
    }
  }
}

/** Answers an error in the form of the API. A failure of the server is logged whole, under the id of the request. */
export function answerError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = errorAnswer(error, request.id)
  const hasFailed = status >= 500 && !NO_FAILURE.has(error.code)
  if (hasFailed) request.log.error({ err: error }, 'request failed')
  // Without its message, which may quote the document: no log is to hold that.
  else request.log.info({ code: error.code }, 'request refused')
  return reply.code(status).headers(headers).send(body)
}

function statusOf ({ code, statusCode }: Failure): number {
  // 422 says that an offer cannot be published (reading 19). A document that cannot be stored is a wrong body.
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
  if (status >= 500 && !(status === 503 && isOfPlugin)) return FAILED
  // The plugin guards entities of any kind; those of this API are offers.
  if (isOfPlugin) return error.message.replaceAll(/\bentity\b(?!-)/g, 'offer')
  return MESSAGE_OF_FASTIFY[error.code ?? ''] ?? error.message
}
