import type { FastifyReply, FastifyRequest } from 'fastify'
import { isResponse } from './whatwg-response.js'
import { EntityAbsentError } from '../errors.js'
import type { MethodKind } from '../http/method.js'
import { preferredReturn } from '../http/prefer.js'
import type { Settings } from '../settings.js'
import type { CurrentEntity } from '../refusal-error.js'

/** The current representation of an entity, as a 412 carries it. */
export interface Represented {
  readonly etag: string
  readonly payload: string | Uint8Array
  readonly type: string
  /** The address of the representation, relative to that of the request; undefined: nobody said one. */
  readonly location: string | undefined
}

/** A request whose 412 may carry the current representation. */
interface RefusedRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly kind: MethodKind
  readonly response: { readonly refusedBy: CurrentEntity | undefined }
  /** What makes it: the option of the route. */
  readonly representation: Settings['representation']
  /** What was made, once the function was asked. */
  represented: Promise<Represented | undefined> | undefined
  /** Whether the function is running: an answer that it sends itself must not wait for it. */
  isRepresenting: boolean
}

const JSON_TYPE = 'application/json; charset=utf-8'

/**
 * Whether the answer is a 412 of a write that may carry the current representation: the route has a function that makes
 * it, the entity is there, and the client asks for it (RFC 7240 4.2, RFC 8144 3).
 */
export function mayRepresent (state: RefusedRequest): boolean {
  const { representation, kind, reply, request, response, isRepresenting } = state
  return representation !== false && reply.statusCode === 412 && kind === 'write' &&
    response.refusedBy !== undefined && !isRepresenting && preferredReturn(request.headers.prefer) === 'representation'
}

/**
 * Asks the function of the route for the current representation, once a request. Whatever fails on the way leaves the
 * 412 as it is: a line in the log tells of it, without the message, which may quote what is stored.
 *
 * @returns undefined if this caller may not read the entity, or it is gone
 */
export async function represented (state: RefusedRequest): Promise<Represented | undefined> {
  state.represented ??= represent(state)
  return await state.represented
}

// The function may set these on the reply. They go out with what it makes, and not with the body of an error handler.
const SET_BY_FUNCTION = ['content-type', 'content-location'] as const

async function represent (state: RefusedRequest): Promise<Represented | undefined> {
  const { reply, request } = state
  const before = SET_BY_FUNCTION.map((name) => reply.getHeader(name))
  const { statusCode } = reply
  state.isRepresenting = true
  const made = await ask(state, before).catch((error: unknown) => { warn(request, error) })
  state.isRepresenting = false
  // The request was refused, whatever the function thinks of the caller.
  reply.code(statusCode)
  for (const [index, name] of SET_BY_FUNCTION.entries()) restore(reply, name, before[index])
  return made ?? undefined
}

async function ask (
  { request, reply, response, representation }: RefusedRequest,
  [typed, located]: readonly unknown[]
): Promise<Represented | undefined> {
  const found = await response.refusedBy!.read()
  const payload = payloadOf(await (representation as Exclude<typeof representation, false>)(found, request, reply))
  if (payload === undefined) return undefined
  const [type, location] = SET_BY_FUNCTION.map((name) => reply.getHeader(name))
  return {
    etag: found.etag,
    payload,
    type: type === typed || type === undefined ? JSON_TYPE : String(type),
    location: location === located || location === undefined ? ownAddress(request) : String(location)
  }
}

/** What is sent of what the function returned. Nothing is what a check of permission leaves: undefined, null, false. */
function payloadOf (made: unknown): string | Uint8Array | undefined {
  if (!made) return undefined
  if (typeof made === 'string' || made instanceof Uint8Array) return made
  if (typeof made !== 'object' || 'pipe' in made || made instanceof ReadableStream || isResponse(made)) {
    throw new NoRepresentation()
  }
  return JSON.stringify(made)
}

/** What the log calls a value that is no representation: true, a number, a function, a stream. */
class NoRepresentation extends TypeError {
  override readonly name = 'NoRepresentation'
}

/**
 * The address of the request, relative to itself: a gateway may have put a prefix in front of it. PUT, PATCH and DELETE
 * are about the entity at their address (RFC 9110 8.7, 9.3); what others act on has an address that only the app knows.
 */
function ownAddress ({ method, originalUrl }: FastifyRequest): string | undefined {
  if (method !== 'PUT' && method !== 'PATCH' && method !== 'DELETE') return undefined
  const [path, query] = cut(originalUrl, '?')
  const address = `.${path.slice(path.lastIndexOf('/'))}${query}`
  return /^\.\/[\x21-\x7e]*$/.test(address) ? address : undefined
}

function cut (text: string, separator: string): [before: string, rest: string] {
  const index = text.indexOf(separator)
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index)]
}

function restore (reply: FastifyReply, name: string, value: number | string | string[] | undefined): void {
  if (value === undefined) reply.removeHeader(name)
  else reply.header(name, value)
}

function warn ({ log, method, routeOptions: { url } }: FastifyRequest, error: unknown): void {
  if (error instanceof EntityAbsentError) return // it was removed meanwhile
  const { code, name } = Object(error) as { code?: unknown, name?: unknown }
  const shown = [code, name].find((text) => typeof text === 'string' && /^\w{1,64}$/.test(text)) ?? typeof error
  log.error(
    { code: shown, method, route: url },
    'The 412 carries no representation, since the function "representation" or its read failed. The message is not ' +
      'logged, because it may quote what is stored: catch the error inside the function to see it.'
  )
}
