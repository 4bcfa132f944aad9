import { STATUS_CODES } from 'node:http'
import { isRefusalError, type ErrorCode } from './errors.js'
import type { OwnWrite, RefusalField } from './refusal-error.js'

/** A problem as RFC 9457 describes one, for `application/problem+json`. It never has stored content. */
export interface ProblemDetails {
  /** The address of the page about problems of this type; `about:blank`: the status says all. */
  type: string
  title: string
  status: number
  detail: string
  /** The stable code of the error, if it has one. */
  code?: string
  instance?: string
  /** The field of the request that is false or missing. */
  field?: RefusalField
  /** The tag of the entity that stands in the way. */
  etag?: string
  /** There, and true, if `If-Match` named the current version by a weak tag. */
  isWeak?: true
  /** What the refusal has to do with an earlier write of the same caller. */
  ownWrite?: OwnWrite
}

/** Options of `problemDetails`. */
export interface ProblemDetailsOptions {
  /** The URI to which the name of a type is appended, such as `https://example.com/problems/`. Default: our own page. */
  base?: string | undefined
  /** The URI of this occurrence, such as the path of the request. */
  instance?: string | undefined
}

/** Where the types of problems are described. */
const PAGE = 'https://github.com/fastify-if-match/fastify-if-match/blob/main/docs/reference/problems.md#'

// The title of a type is the same each time (RFC 9457 3.1.3).
const TITLES = {
  missing: 'The request names no strategy',
  malformed: 'A precondition cannot be read',
  mismatch: 'The entity is another version',
  absent: 'There is no such entity',
  exists: 'The entity exists already',
  conflict: 'The value contradicts other stored data',
  contention: 'Other writers were faster',
  unavailable: 'The storage does not answer',
  unknown: 'The outcome of the write is unknown',
  'invalid-key': 'No entity can have this identifier',
  'invalid-value': 'The value cannot be stored',
  'partial-content': 'A part cannot take the place of the whole'
} as const

/** The types of problems, by the names that end their URIs. */
export type ProblemType = keyof typeof TITLES

/** Whatever else fails is a mistake of the server, of which its status says all. A refusal tells its own type. */
const TYPE_OF_CODE: Partial<Record<ErrorCode, ProblemType>> = {
  FST_IF_MATCH_REQUIRED: 'missing',
  FST_IF_MATCH_MALFORMED: 'malformed',
  FST_IF_MATCH_CONSTRAINT: 'conflict',
  FST_IF_MATCH_CONTENTION: 'contention',
  FST_IF_MATCH_STORAGE_UNAVAILABLE: 'unavailable',
  FST_IF_MATCH_OUTCOME_UNKNOWN: 'unknown',
  FST_IF_MATCH_INVALID_KEY: 'invalid-key',
  FST_IF_MATCH_INVALID_VALUE: 'invalid-value',
  FST_IF_MATCH_CONTENT_RANGE: 'partial-content'
}

/**
 * Makes RFC 9457 problem details of an error, or of whatever else was thrown. An error with a code of this package or
 * of Fastify shows its message, and so does any other one below 500. Of other errors, the status alone is shown.
 *
 * @example
 * app.setErrorHandler((error, request, reply) => {
 *   const problem = problemDetails(error, { instance: request.url })
 *   return reply.code(problem.status).type('application/problem+json').send(problem)
 * })
 * @see docs/reference/problems.md for the types
 */
export function problemDetails (error: unknown, options: ProblemDetailsOptions = {}): ProblemDetails {
  return problemOf(error, statusOf(error) ?? 500, options)
}

/** The problem details of an error that is answered with this status. */
export function problemOf (
  error: unknown,
  status: number,
  { base = PAGE, instance }: ProblemDetailsOptions
): ProblemDetails {
  const { code } = Object(error) as { code?: unknown }
  const phrase = STATUS_CODES[status] ?? 'Error'
  const isNamed = typeof code === 'string' && code.startsWith('FST_')
  const type = isRefusalError(error) ? error.reason : isNamed ? TYPE_OF_CODE[code as ErrorCode] : undefined
  return {
    type: type === undefined ? 'about:blank' : base + type,
    title: type === undefined ? phrase : TITLES[type],
    status,
    detail: isNamed || status < 500 ? messageOf(error) : phrase,
    ...(isNamed && { code }),
    ...(instance !== undefined && { instance }),
    ...factsIn(error, type)
  }
}

/** The message of an error. What was thrown may be anything, and its message may be no text, nor become one. */
export function messageOf (error: unknown): string {
  const { message } = Object(error) as { message?: unknown }
  return typeof message === 'string' ? message : ''
}

/** The status that an error asks for, as Fastify reads it; undefined: none, and it is an error of the server. */
export function statusOf (error: unknown): number | undefined {
  const { statusCode, status } = Object(error) as { statusCode?: unknown, status?: unknown }
  return [statusCode, status].find((code): code is number => Number.isInteger(code) && code as number >= 400 &&
    code as number <= 599)
}

type Facts = Pick<ProblemDetails, 'field' | 'etag' | 'isWeak' | 'ownWrite'>

function factsIn (error: unknown, type: ProblemType | undefined): Facts {
  if (type === 'missing') return { field: 'If-Match' }
  if (!isRefusalError(error)) return {}
  const { field, isWeak, current, ownWrite } = error
  return {
    ...(field !== undefined && { field }),
    ...(current !== undefined && { etag: current.etag }),
    ...(isWeak && { isWeak }),
    ...(ownWrite !== undefined && { ownWrite })
  }
}
