import type { FastifyRequest } from 'fastify'
import type { Operation } from './entity.js'
import { InvalidOptionsError, InvalidValueError, NotJsonError } from '../errors.js'

/** What a call of the app without its argument comes to: a fault of the app, never one of the client's. */
export async function wrongCall (operation: Operation, advice: string): Promise<never> {
  throw new InvalidOptionsError(`request.entity().${operation}()`, advice)
}

/**
 * The error for a value that is undefined; `isMade`: a function made it. A request without a body is the client's: it
 * has an undefined one. A function that gives nothing is the server's.
 */
export function noValue (operation: Operation, isMade: boolean, { body }: FastifyRequest): Error {
  if (isMade) return new NotJsonError(`the function that was passed to ${operation}() returned nothing`)
  if (body !== undefined) return new NotJsonError(`${operation}() was given no value`)
  return new InvalidValueError('there is none, because the request has no body')
}
