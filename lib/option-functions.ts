import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import type { IfMatchError } from './errors.js'

/** The request that a function among the options is given: it may be of any route, so its params are `any`. */
export type RouteRequest = FastifyRequest & { params: any, query: any, headers: any, body: any }

/**
 * Makes the representation of an entity for the 412 of a state-changing request: what a GET of the same address shows
 * this caller. No response schema and no hook applies to it, so leave out what they hide. An object is sent as JSON; a
 * string or bytes are sent as they are. Anything else, such as `undefined`, `null` or `false`, says that the caller may
 * not read the entity, and the 412 goes out as it is. So it does if the function throws. The `Content-Type` is that of
 * JSON unless the function sets another one on the reply. It returns what is sent, and sends nothing itself; the status
 * stays 412.
 *
 * @param found the entity with its version and tag; the value is a copy
 */
export type Representation = (
  found: { value: any, version: string, etag: string },
  request: RouteRequest,
  reply: FastifyReply
) => unknown

/** How the requests of a client are told from those of others, for the option `resend`. */
export interface ResendOptions {
  /**
   * Who sends the request: the subject of its token, say, and whatever else its effect depends on. Asked once a request
   * that writes under a tag or creates, behind all preHandler hooks of the app, or when a hook of the app writes. One
   * that throws, or returns anything but a string that is not empty, is FST_IF_MATCH_INVALID_OPTIONS (500), and nothing
   * is written.
   */
  caller: (request: RouteRequest) => string
}

/**
 * Told of each request that was refused: `error` says why, `reply.statusCode` is what was answered. It is called once a
 * request, when the answer is out, so it changes nothing; what it throws, or rejects with, is logged at the level
 * `error`. A refusal ends a request with an error of this package, but none of 500, which Fastify logs; also if the app
 * answered it in words and with a status of its own. An error that a handler caught, and went on to succeed, is none,
 * nor is a request whose client was gone.
 */
export type OnRefused = (request: RouteRequest, reply: FastifyReply, error: IfMatchError) => unknown

/** A route that does not say `config.ifMatch`, as the function `global` is asked about it. */
export interface GlobalRoute {
  /** One of its state-changing methods, in upper case. */
  readonly method: string
  /** Its path, with all prefixes. */
  readonly url: string
  readonly config: FastifyContextConfig
}
