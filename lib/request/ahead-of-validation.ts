import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { InvalidOptionsError } from '../errors.js'

/**
 * Calls `make` on a request whose params and query are what their validation will make of them: a schema may coerce
 * them, and `/1`, `/01` and `/1.0` are one entity then. The request itself is left as it was: Fastify validates it
 * later, and refuses it if it is invalid.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS if a validator is asynchronous: then the outcome is not known yet
 */
export function aheadOfValidation<R> (request: FastifyRequest, make: (request: FastifyRequest) => R): R {
  const { params, query } = request
  try {
    request.params = inTime(request, 'params', params)
    request.query = inTime(request, 'querystring', query)
    return make(request)
  } finally {
    request.params = params
    request.query = query
  }
}

/** The headers as their validation will leave them. If nobody can know that, it leaves none. */
export function validatedHeaders (request: FastifyRequest): IncomingHttpHeaders {
  try {
    const left = validated(request, 'headers', request.headers)
    return left === LATER ? {} : left as IncomingHttpHeaders
  } catch {
    return {} // Fastify calls the validator, too, and answers its error
  }
}

function inTime (request: FastifyRequest, part: 'params' | 'querystring', value: unknown): unknown {
  const left = validated(request, part, value)
  if (left !== LATER) return left
  throw new InvalidOptionsError(
    request.routeOptions.url,
    `the validation of its ${part} is asynchronous, so the key of its entity is not known before. Call ` +
    'request.entity() in a preHandler hook or in the handler.'
  )
}

/** What is not known yet, because the validator is asynchronous. */
const LATER = Symbol('later')

/** The value that Fastify would leave behind, also if it is invalid (engine-facts#fastify-validation). */
function validated (request: FastifyRequest, part: 'params' | 'querystring' | 'headers', value: unknown): unknown {
  const validate = request.getValidationFunction(part) as unknown as Validate | undefined
  if (validate === undefined) return value
  // Ajv changes the value in place, or in its parent if that is known; a validator of the app returns another one.
  const parent = { value: copyOf(value) }
  const result = Object(validate.schemaEnv === undefined
    ? validate(parent.value)
    : validate(parent.value, { parentData: parent, parentDataProperty: 'value' })) as Result
  if (typeof result.then === 'function') {
    Promise.resolve(result).catch(() => {})
    return LATER
  }
  return !result.error && 'value' in result ? result.value : parent.value
}

// A query may have lists and objects, in which Ajv coerces the members.
function copyOf (value: unknown): object {
  const copied = Object.entries(Object(value) as object).map(([name, member]) => [name, copyOfMember(member)] as const)
  return Object.fromEntries(copied)
}

function copyOfMember (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOfMember)
  return Object.prototype.toString.call(value) === '[object Object]' ? copyOf(value) : value
}

/** A validator of Ajv, which has `schemaEnv`, or what a validator compiler of the app made. */
interface Validate { (value: unknown, context?: object): unknown, schemaEnv?: unknown }

/** What it returns: whether the value is valid, or an object with another value or an error, or a promise. */
interface Result { value?: unknown, error?: unknown, then?: unknown }
