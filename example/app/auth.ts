import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { ApiError } from './errors.js'
import type { Token } from './tokens.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends this request; null before the authentication. */
    token: Token | null
  }
}

/** A hook that refuses a request without one of these bearer tokens. */
export function authenticate (tokens: readonly Token[]): onRequestAsyncHookHandler {
  const known = tokens.map((token) => ({ token, digest: digestOf(token.secret) }))

  return async function (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const secret = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
    if (secret !== undefined) {
      const digest = digestOf(secret)
      // Every token is compared, also after a match, and digests have one length: the time tells nothing about any.
      for (const candidate of known) if (timingSafeEqual(candidate.digest, digest)) request.token = candidate.token
    }
    if (request.token === null) {
      reply.header('www-authenticate', 'Bearer')
      throw new ApiError(
        401,
        'Unauthorized',
        'The request has no valid bearer token. Send "Authorization: Bearer <token>".'
      )
    }
  }
}

/**
 * A hook that lets a token act for its own publishers alone. A publisher that does not exist is 403 too (reading 9):
 * whether it exists is for its own tokens to know.
 */
export async function authorise (request: FastifyRequest): Promise<void> {
  const { publisherId } = request.params as { publisherId: string }
  assertRole(request, publisherId)
}

/** @throws ApiError 403 if the token of the request has no role on this publisher */
export function assertRole (request: FastifyRequest, publisherId: string): void {
  if (request.token?.roles.has(publisherId) !== true) {
    throw new ApiError(403, 'Forbidden', 'This token has no role on this publisher.')
  }
}

function digestOf (secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
